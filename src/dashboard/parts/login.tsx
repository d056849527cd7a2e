import { useState } from "preact/hooks";
import { get, type Refusal } from "../answers/request.ts";
import { keepToken } from "../answers/session.ts";
import { Refused } from "./answered.tsx";

/** Asks for a token, tries it, and calls `onDone` when the service takes it. The address stays what it is. */
export function Login({ onDone }: { readonly onDone: () => void }) {
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const login = async (event: SubmitEvent) => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement).get("token");
    keepToken(String(entered).trim());
    try {
      await get("/runs?limit=1");
      onDone();
    } catch (error) {
      keepToken(null);
      setRefusal(error as Refusal);
    }
  };
  return (
    <form class="login" onSubmit={login}>
      <h1>Log in</h1>
      <p>
        This service asks for a token. Who runs it makes one with <code>collapsar token create NAME --scope read</code>{" "}
        (the scope <code>submit</code> may also submit, cancel and retry). The token is kept until this tab is closed.
      </p>
      <label>
        <span>Token</span>
        <input name="token" type="password" autocomplete="off" required placeholder="clp_…" />
      </label>
      <button type="submit" class="primary">
        Log in
      </button>
      {refusal && <Refused refusal={refusal} />}
    </form>
  );
}
