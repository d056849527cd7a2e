import { spawn } from "node:child_process";
import { once } from "node:events";

/** What starts the browser of each system. */
const STARTERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Returns whether a browser was started at `url`; false where nobody would see it, or none is there. */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const { platform } = process;
  const isRemote = env.SSH_CONNECTION !== undefined || env.SSH_TTY !== undefined;
  const isHeadless = !(platform in STARTERS) && !env.DISPLAY && !env.WAYLAND_DISPLAY;
  if (isRemote || isHeadless) return false;
  const [command, ...args] = STARTERS[platform] ?? ["xdg-open"];
  const child = spawn(command!, [...args, url], { env, detached: true, stdio: "ignore" });
  try {
    await once(child, "spawn");
    child.unref();
    return true;
  } catch {
    return false;
  }
}
