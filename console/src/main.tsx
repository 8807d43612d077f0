// The page: where things are, who is here, then everything else.
import "./style.css";
import { createRoot } from "react-dom/client";
import { Api } from "./api";
import { App } from "./App";
import { readConfig } from "./config";
import { Failure, FailureBoundary } from "./Failure";
import { SignIn } from "./sign-in";

async function start(): Promise<void> {
  const root = createRoot(document.getElementById("console") as HTMLElement);
  try {
    const config = await readConfig();
    const signIn = await SignIn.begin(config);
    const api = signIn.isSignedIn ? new Api(config.api, signIn.token) : undefined;
    const person = signIn.isSignedIn ? await signIn.person() : undefined;
    root.render(
      <FailureBoundary>
        <App api={api} person={person} onSignIn={signIn.go} onSignOut={signIn.leave} />
      </FailureBoundary>,
    );
  } catch (failure) {
    root.render(<Failure failure={failure} />);
  }
}

void start();
