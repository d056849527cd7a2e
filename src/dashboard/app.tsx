import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from "preact-iso";
import { onRefused } from "./answers/session.ts";
import { Empty } from "./parts/empty.tsx";
import { Login } from "./parts/login.tsx";
import { type Theme, useTheme } from "./theme.ts";

const Experiments = view(() => import("./experiments/experiments.tsx"));
const Experiment = view(() => import("./experiment/experiment.tsx"));
const Runs = view(() => import("./run/runs.tsx"));
const Run = view(() => import("./run/run.tsx"));
const Evaluation = view(() => import("./evaluation/evaluation.tsx"));
const Queue = view(() => import("./queue/queue.tsx"));
const Submit = view(() => import("./submit/submit.tsx"));

/** A view that is loaded when it is opened; where it does not come, as after an update of the service, the page says so. */
function view<P>(load: () => Promise<{ default: ComponentType<P> }>) {
  return lazy(() => load().catch(() => ({ default: Broken as ComponentType<P> })));
}

const PLACES = [
  { path: "/", title: "Experiments", within: /^\/$|^\/ui\/experiments/ },
  { path: "/ui/runs", title: "Runs", within: /^\/ui\/runs/ },
  { path: "/ui/queue", title: "Queue", within: /^\/ui\/(queue|evaluations)/ },
  { path: "/ui/submit", title: "Submit", within: /^\/ui\/submit/ },
];

/** The dashboard: the view that the address names, or the login where the service asks for a token. */
export function App() {
  const [refused, setRefused] = useState(false);
  useEffect(() => onRefused(() => setRefused(true)), []);
  return (
    <LocationProvider scope={/^\/(ui\/|$|\?)/}>
      <Header />
      <main id="main" tabIndex={-1}>
        {refused ? <Login onDone={() => setRefused(false)} /> : <Views />}
      </main>
    </LocationProvider>
  );
}

function Views() {
  const [broken, setBroken] = useState(false);
  const onError = (error: Error) => {
    console.error(error);
    setBroken(true);
  };
  if (broken) return <Broken />;
  return (
    <ErrorBoundary onError={onError}>
      <Router>
        <Route path="/" component={Experiments} />
        <Route path="/ui/experiments/:name" component={Experiment} />
        <Route path="/ui/runs" component={Runs} />
        <Route path="/ui/runs/:id" component={Run} />
        <Route path="/ui/evaluations/:id" component={Evaluation} />
        <Route path="/ui/queue" component={Queue} />
        <Route path="/ui/submit" component={Submit} />
        <Route default component={NoSuchPage} />
      </Router>
    </ErrorBoundary>
  );
}

function Header() {
  const { path } = useLocation();
  return (
    <header class="site">
      <button type="button" class="skip" onClick={() => document.getElementById("main")!.focus()}>
        Skip to content
      </button>
      <a class="brand" href="/">
        Collapsar
      </a>
      <nav aria-label="Views">
        {PLACES.map(({ path: href, title, within }) => (
          <a key={href} href={href} aria-current={within.test(path) ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <ThemeChoice />
    </header>
  );
}

function ThemeChoice() {
  const [theme, choose] = useTheme();
  return (
    <label class="theme">
      <span>Theme</span>
      <select value={theme} onChange={(event) => choose(event.currentTarget.value as Theme)}>
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function Broken() {
  return (
    <Empty title="This page broke">
      The service may be newer than this tab, or it is a fault of ours: then the browser’s console has it.{" "}
      <button type="button" onClick={() => location.reload()}>
        Load it again
      </button>
    </Empty>
  );
}

function NoSuchPage() {
  return (
    <Empty title="There is no such page">
      Start from the <a href="/">experiments</a>.
    </Empty>
  );
}
