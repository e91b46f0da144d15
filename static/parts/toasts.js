/** Short notices at the edge of the page, read out by screen readers. Nothing ends in silence. */

import { say, t } from "../i18n.js";

const QUIET_MS = 6000;
const LOUD_MS = 12000;

/** Shows notices in its element, a live region. */
export class Toasts {
  #root;

  constructor(root) { this.#root = root; }

  /** Good news, or no news. `action`: {key, do}. */
  tell(key, facts = {}, action = null) { this.#show("quiet", key, facts, action); }

  /** What went wrong and what to do now. */
  warn(key, facts = {}, action = null) { this.#show("loud", key, facts, action); }

  /** An error of the server or of the network, in its own words where it has some. */
  fail(error, action = null) {
    if (error.slug === "aborted") return;
    if (error.slug === "offline") this.warn("error.offline", {}, action);
    else if (error.message) this.warn("error.said", { message: error.message }, action);
    else this.warn("error.unknown", {}, action);
    if (error instanceof Error && !error.slug) console.warn(error);
  }

  #show(kind, key, facts, action) {
    const toast = document.createElement("div");
    toast.className = `toast toast--${kind}`;
    const text = toast.appendChild(document.createElement("p"));
    say(text, key, facts);
    const close = () => toast.remove();
    if (action) toast.append(button(t(action.key), "link", () => { close(); action.do(); }));
    toast.append(button("×", "toast__close", close, t("close")));
    for (const other of this.#root.children) if (other.firstChild.textContent === text.textContent) other.remove();
    this.#root.append(toast);
    let timer = setTimeout(close, kind === "loud" ? LOUD_MS : QUIET_MS);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => { timer = setTimeout(close, QUIET_MS); });
  }
}

function button(text, name, act, label = null) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
