/** The composition root: creates every component and connects them. The only module that imports them all. */

import { Api } from "./api.js";
import { locale, ready, switchLanguage, t } from "./i18n/i18n.js";
import { failureText } from "./job-text.js";
import { Jobs } from "./jobs.js";
import { Router } from "./router.js";
import { State } from "./state.js";
import { KeyValueStore } from "./storage.js";
import { TaskEvents } from "./task-events.js";
import { ConfirmDialog } from "./components/confirm-dialog.js";
import { Header } from "./components/header.js";
import { JobDrawer } from "./components/job-drawer.js";
import { Keyboard } from "./components/keyboard.js";
import { SignInDialog } from "./components/sign-in-dialog.js";
import { Toasts } from "./components/toasts.js";
import { Studio } from "./pages/studio.js";

const LAZY_PAGES = {
  gallery: () => import("./pages/gallery.js"),
  image: () => import("./pages/image.js"),
  profile: () => import("./pages/profile.js"),
  account: () => import("./pages/account.js"),
  tasks: () => import("./pages/tasks.js"),
};
const TITLES = {
  studio: "nav.studio", gallery: "gallery.title", image: "image.title", profile: "profile.title",
  account: "account.title", tasks: "queue.title", "not-found": "notfound.title",
};

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const section = (name) => document.querySelector(`[data-page="${name}"]`);

const api = new Api();
const state = new State();
const storage = new KeyValueStore();
const router = new Router();
const taskEvents = new TaskEvents(api);
const jobs = new Jobs({ api, state, storage, taskEvents });
const toasts = new Toasts(part("toasts"));
const confirmDialog = new ConfirmDialog(part("confirm"));
const signInDialog = new SignInDialog(part("sign-in"), { api, state });
const jobActions = {
  cancel: (job) => jobs.cancel(job).catch((error) => toasts.error(error)),
  retry: (job) => jobs.retry(job).catch((error) => toasts.error(error)),
  dismiss: (job) => jobs.dismiss(job),
};
let libraryPromise = null;
/** The user's own images. Loaded on first use, because only the photomosaic style needs them. */
const imageLibrary = () => (libraryPromise ??= import("./image-library.js").then(({ ImageLibrary }) => new ImageLibrary({ api, state, jobs })));
const services = { api, state, storage, router, taskEvents, jobs, imageLibrary, toasts, confirmDialog, signInDialog, jobActions };
const studio = new Studio(section("studio"), services);
const drawer = new JobDrawer({ root: part("job-drawer"), button: part("activity"), count: part("activity-count"), jobs, handlers: jobActions });
const header = new Header(part("header"), services);
const pages = { studio: { show: () => {} }, "not-found": { show: () => {} } };
let currentPage = null;
let navigated = false;

new Keyboard(part("keys"), part("keys-open"), [
  { keys: ["?"], label: "keys.help" },
  { keys: ["o"], label: "keys.choose", action: () => studio.choose() },
  { keys: ["m"], label: "keys.make", action: () => { studio.make(); } },
  { keys: ["d"], label: "keys.download", action: () => { studio.save(); } },
  { keys: ["r"], label: "keys.seed", action: () => currentPage === "studio" && studio.randomiseSeed() },
  { keys: ["["], label: "keys.previous", action: () => currentPage === "studio" && studio.stepStyle(-1) },
  { keys: ["]"], label: "keys.next", action: () => currentPage === "studio" && studio.stepStyle(1) },
  { keys: [","], label: "keys.less", action: () => currentPage === "studio" && studio.moveSplit(-5) },
  { keys: ["."], label: "keys.moreof", action: () => currentPage === "studio" && studio.moveSplit(5) },
  { keys: ["+", "="], label: "keys.in", action: () => studio.zoom("in") },
  { keys: ["-"], label: "keys.out", action: () => studio.zoom("out") },
  { keys: ["0"], label: "keys.fit", action: () => studio.zoom("fit") },
  { keys: ["s"], label: "keys.studio", action: () => router.go("/") },
  { keys: ["g"], label: "keys.gallery", action: () => router.go("/gallery") },
  { keys: ["a"], label: "keys.activity", action: () => drawer.toggle(part("job-drawer").hidden) },
  { keys: ["l"], label: "keys.language", action: () => { switchLanguage(); } },
  { keys: ["Esc"], label: "keys.escape" },
]);

router.addEventListener("page", ({ detail }) => show(detail));
addEventListener("unhandledrejection", ({ reason }) => toasts.error(reason?.slug ? reason : {}));
addEventListener("error", () => toasts.warn("error.unknown"));
api.addEventListener("offline", () => showOffline(true));
api.addEventListener("online", () => showOffline(false));
addEventListener("offline", () => api.setReachable(false));
addEventListener("online", () => api.session().catch(() => {}));
api.addEventListener("signedout", () => { if (state.user) state.set({ user: null }); });
state.addEventListener("user", () => taskEvents.reconnect());
jobs.addEventListener("settled", ({ detail }) => notifySettled(detail));
locale.addEventListener("change", () => { drawer.redraw(); if (currentPage) setTitle(); });
part("language").addEventListener("click", () => switchLanguage());

const restored = ready.then(() => studio.restore());
const loaded = Promise.all([signInDialog.refresh(), api.styles(), restored]).then(([, { styles }]) => {
  state.set({ styles, recipe: state.recipe ?? { style: styles[0].name } });
}).catch((error) => toasts.error(error));
await restored;
router.start();
document.documentElement.classList.remove("booting");
await loaded;
await jobs.restore();
document.documentElement.classList.add("ready");
performance.mark("ready");

/** Shows a page at once and loads its module afterwards. */
async function show({ page, match, query, scrollTop }) {
  const samePage = currentPage === page;
  currentPage = page;
  for (const other of document.querySelectorAll("[data-page]")) other.hidden = other.dataset.page !== page;
  document.documentElement.dataset.currentPage = page;
  header.setPage(page);
  setTitle();
  try {
    pages[page] ??= new (await LAZY_PAGES[page]()).Page(section(page), services, { useRecipe: (recipe) => studio.useRecipe(recipe), setTitle });
    if (currentPage !== page) return;
    await loaded;
    await pages[page].show({ match, query, scrollTop });
  } catch (error) {
    if (error.slug === "not_found" && currentPage === page) { show({ page: "not-found", scrollTop: 0 }); return; }
    toasts.error(error);
  }
  if (currentPage !== page) return;
  scrollTo({ top: scrollTop, behavior: "instant" });
  if (!samePage && navigated) section(page).querySelector("h1")?.focus({ preventScroll: true });
  navigated = true;
}

/** Sets the window's title; a page may pass a more specific one. */
function setTitle(specific = null) {
  document.title = currentPage === "studio" ? "Tessera" : `${specific ?? t(TITLES[currentPage])} · Tessera`;
}

/** Announces a finished or failed job when its image is not on the screen. */
function notifySettled(job) {
  const visible = currentPage === "studio" && state.image?.id === job.imageId;
  if (job.phase === "done" && !visible) toasts.info("job.ready", { name: job.name }, { key: "job.see", run: () => router.go(`/i/${job.result.id}`) });
  if (job.phase === "failed") toasts.warn("job.problem", { name: job.name, why: failureText(job.error) }, { key: "job.retry", run: () => jobActions.retry(job) });
}

function showOffline(offline) {
  part("offline").hidden = !offline;
  if (!offline) toasts.info("offline.back");
}
