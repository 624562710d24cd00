import { render } from "preact";
import { App } from "./app.tsx";

const main = document.getElementById("playground");
if (main) {
  // What the page shows without JavaScript.
  main.replaceChildren();
  render(<App />, main);
}
