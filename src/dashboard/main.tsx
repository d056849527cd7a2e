import { render } from "preact";
import { App } from "./app.tsx";
import { showTheme } from "./theme.ts";

showTheme();
render(<App />, document.getElementById("app")!);
