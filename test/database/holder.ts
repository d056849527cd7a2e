import { acquireLock } from "../../src/database/lock.ts";

// A process that takes the embedded database of a folder and keeps it until it is killed.
const [home, address] = process.argv.slice(2);
const lock = acquireLock(home!, "collapsar serve --port 8081");
if (address) lock.announce(address);
console.log("locked");
setInterval(() => {}, 60_000);
