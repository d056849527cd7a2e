import { describeService } from "../contract/service.ts";

describeService("the embedded database", async () => null);
