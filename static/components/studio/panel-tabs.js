/** The ways between the styles and the settings of the studio's panel, which narrow windows show as a sheet with tabs. */

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** Selects a tab, and folds the sheet away. */
export class PanelTabs {
  #panel;
  #tabs;
  #fold;

  constructor(panel) {
    this.#panel = panel;
    this.#tabs = [...panel.querySelectorAll('[role="tab"]')];
    this.#fold = panel.querySelector('[data-part="panel-fold"]');
    for (const tab of this.#tabs) {
      tab.addEventListener("click", () => this.#select(tab));
      tab.addEventListener("keydown", (event) => this.#onKey(event));
    }
    this.#fold.addEventListener("click", () => this.#setFolded(this.#fold.getAttribute("aria-expanded") === "true"));
    this.#connectSettings(panel.querySelector('[data-part="to-settings"]'), panel.querySelector("#panel-settings"));
  }

  /** A button leads to the settings where they are below what the panel shows. */
  #connectSettings(button, settings) {
    button.addEventListener("click", () => {
      settings.scrollIntoView();
      settings.querySelector("input, select").focus({ preventScroll: true });
    });
    const observer = new IntersectionObserver((entries) => { button.hidden = entries.at(-1).isIntersecting; });
    observer.observe(settings.querySelector("legend"));
  }

  #select(tab) {
    this.#panel.dataset.tab = tab.dataset.tab;
    for (const other of this.#tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    this.#setFolded(false);
  }

  #setFolded(folded) {
    this.#panel.classList.toggle("panel--folded", folded);
    this.#fold.setAttribute("aria-expanded", String(!folded));
  }

  #onKey(event) {
    if (!(event.key in STEPS)) return;
    const next = this.#tabs.at((this.#tabs.indexOf(event.target) + STEPS[event.key]) % this.#tabs.length);
    event.preventDefault();
    event.stopPropagation();
    this.#select(next);
    next.focus();
  }
}
