/** The composition root: creates every component and connects them. The only module that imports them all. */

import { Api, loadModule } from "./api.js";
import { JobDrawer } from "./components/jobs/job-drawer.js";
import { Header } from "./components/shell/header.js";
import { Keyboard } from "./components/shell/keyboard.js";
import { SignInDialog } from "./components/shell/sign-in-dialog.js";
import { Toasts } from "./components/shell/toasts.js";
import { locale, ready, switchLanguage, t } from "./i18n/i18n.js";
import { failureText } from "./job-text.js";
import { Jobs } from "./jobs.js";
import { Studio } from "./pages/studio.js";
import { Router } from "./router.js";
import { State } from "./state.js";
import { KeyValueStore, LocalData } from "./storage.js";
import { TaskEvents } from "./task-events.js";

const LAZY_PAGES = {
  gallery: async () => (await loadModule(import("./pages/gallery.js"))).GalleryPage,
  image: async () => (await loadModule(import("./pages/image.js"))).ImagePage,
  profile: async () => (await loadModule(import("./pages/profile.js"))).ProfilePage,
  account: async () => (await loadModule(import("./pages/account.js"))).AccountPage,
  tasks: async () => (await loadModule(import("./pages/tasks.js"))).TasksPage,
};
const PAINT_LIMIT_MS = 60;
/** The style of the example on the first page. */
const FIRST_STYLE = "tesserae";
const TITLES = {
  studio: "nav.studio", gallery: "gallery.title", image: "image.title", profile: "profile.title",
  account: "account.title", tasks: "queue.title", "not-found": "notfound.title",
};

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const section = (name) => document.querySelector(`[data-page="${name}"]`);

const api = new Api();
/** Requested before the page is painted, and used when it is set up. */
const opening = { session: api.session(), styles: api.styles() };
for (const answer of Object.values(opening)) answer.catch(() => {}); // `load` reports it
await painted();
const state = new State();
const storage = new KeyValueStore();
const router = new Router();
const taskEvents = new TaskEvents(api);
const jobs = new Jobs({ api, state, storage, taskEvents });
const toasts = new Toasts(part("toasts"));
let confirmation = null;
const confirmDialog = {
  open: async (options) => {
    confirmation ??= new (await loadModule(import("./components/shell/confirm-dialog.js"))).ConfirmDialog(part("confirm"));
    return confirmation.open(options);
  },
};
const signInDialog = new SignInDialog(part("sign-in"), { api, state });
const jobActions = {
  cancel: (job) => jobs.cancel(job).catch((error) => toasts.error(error)),
  retry: (job) => jobs.retry(job).catch((error) => toasts.error(error)),
  dismiss: (job) => jobs.dismiss(job),
  downloadAll: (list) => studio.saveAll(list),
};
let libraryPromise = null;
/** The user's own images. Loaded on first use, because only the photomosaic style needs them. */
const imageLibrary = () => {
  libraryPromise ??= loadModule(import("./image-library.js")).then(({ ImageLibrary }) => new ImageLibrary({ api, state, jobs }));
  libraryPromise.catch(() => { libraryPromise = null; });
  return libraryPromise;
};
const localData = new LocalData(storage, () => { jobs.clear(); state.set({ images: [], current: null, recipe: defaultRecipe(), visibility: null }); });
const services = { api, state, storage, router, taskEvents, jobs, imageLibrary, toasts, confirmDialog, signInDialog, jobActions, localData, signOut };
const studio = new Studio(section("studio"), services);
const drawer = new JobDrawer({ root: part("job-drawer"), button: part("activity"), count: part("activity-count"), jobs, state, handlers: jobActions, onClear: clearBrowser });
const header = new Header(part("header"), services);
const pages = { studio: { show: ({ match }) => studio.show(match) }, "not-found": { show: () => {} } };
let currentPage = null;
let unshownPage = null; // for want of a connection
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
  { keys: ["+", "="], label: "keys.in", action: () => zoom("in") },
  { keys: ["-"], label: "keys.out", action: () => zoom("out") },
  { keys: ["0"], label: "keys.fit", action: () => zoom("fit") },
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
api.addEventListener("online", () => { showOffline(false); catchUp(); });
if (!api.reachable) showOffline(true);
addEventListener("offline", () => api.setReachable(false));
addEventListener("online", () => api.session().catch(() => {}));
api.addEventListener("signedout", () => { if (state.user) signInDialog.refresh().catch(() => {}); });
state.addEventListener("guest", () => taskEvents.reconnect());
state.addEventListener("user", () => { taskEvents.reconnect(); if (state.user) localData.claim(state.user.username); });
localData.addEventListener("cleared", () => { if (state.user) toasts.info("sign.outelsewhere"); endSession(); });
storage.addEventListener("failed", () => toasts.warn("storage.failed"));
jobs.addEventListener("settled", ({ detail }) => notifySettled(detail));
locale.addEventListener("change", () => { drawer.redraw(); if (currentPage) setTitle(); });
part("language").addEventListener("click", () => switchLanguage());

const restored = ready.then(() => studio.restore());
const loaded = load(opening).catch((error) => toasts.error(error));
await restored;
router.start();
document.documentElement.classList.remove("restoring");
await loaded;
document.documentElement.classList.remove("signed-in");
await jobs.restore();
document.documentElement.classList.add("ready");
performance.mark("ready");

/** The words of the page are painted before scripts set it up. A hidden page is not painted. */
function painted() {
  if (document.hidden || performance.getEntriesByName("first-contentful-paint").length) return null;
  return new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); setTimeout(resolve, PAINT_LIMIT_MS); });
}

/** Fetches the session and the styles; after an outage once more. */
async function load(answers = { session: api.session(), styles: api.styles() }) {
  const [, { styles }] = await Promise.all([signInDialog.refresh(answers.session), answers.styles, restored]);
  state.set({ styles });
  if (!state.recipe) state.set({ recipe: defaultRecipe() });
}

function defaultRecipe() {
  const [first] = state.styles;
  return first ? { style: (state.styles.find(({ name }) => name === FIRST_STYLE) ?? first).name } : null;
}

/** Signs out and removes what this browser stores for the user; asks first while uploads are running. */
async function signOut() {
  const confirmed = !jobs.uploadCount || await confirmDialog.open({
    title: "sign.outtitle", text: "sign.outtext", button: "sign.out", values: { n: jobs.uploadCount }, action: () => {},
  });
  if (!confirmed) return;
  try {
    await api.signOut();
  } catch (error) {
    toasts.error(error);
    return; // the session still exists, and so does the data
  }
  await localData.clear();
  endSession();
}

/** Removes what this browser has of a user without an account. Without a guest's session nobody can open the results. */
async function clearBrowser() {
  const confirmed = await confirmDialog.open({
    title: "clear.title", text: "clear.text", button: "clear.do", action: async () => { if (state.guest) await api.signOut(); },
  });
  if (!confirmed) return;
  await localData.clear();
  endSession();
  toasts.info("clear.done");
}

/** The session has ended: nothing of its user stays on the screen. */
function endSession() {
  state.set({ user: null, guest: false });
  if (["account", "gallery"].includes(currentPage)) router.go("/");
}

/** Catches up after an outage: what could not be loaded, previews, and a page that was not shown. */
async function catchUp() {
  try {
    await load();
    studio.refresh();
    if (unshownPage === currentPage) router.reload();
  } catch (error) {
    if (error.slug !== "offline") toasts.error(error);
  }
}

/** Shows a page at once and loads its module afterwards. */
async function show({ page, match, query, scrollTop }) {
  const samePage = currentPage === page;
  currentPage = page;
  for (const other of document.querySelectorAll("[data-page]")) other.hidden = other.dataset.page !== page;
  document.documentElement.dataset.currentPage = page;
  header.setPage(page);
  setTitle();
  unshownPage = null;
  try {
    pages[page] ??= new (await LAZY_PAGES[page]())(section(page), services, { useRecipe: (recipe) => studio.useRecipe(recipe), setTitle });
    if (currentPage !== page) return;
    await loaded;
    await pages[page].show({ match, query, scrollTop });
  } catch (error) {
    if (error.slug === "not_found" && currentPage === page) { show({ page: "not-found", scrollTop: 0 }); return; }
    if (error.slug === "offline") unshownPage = page;
    toasts.error(error);
  }
  if (currentPage !== page) return;
  if (navigated || scrollTop) scrollTo({ top: scrollTop, behavior: "instant" }); // who has scrolled meanwhile stays there
  if (!samePage && navigated) section(page).querySelector("h1")?.focus({ preventScroll: true });
  navigated = true;
}

/** Zooms the image of the current page. Returns false if there is none. */
function zoom(direction) {
  if (currentPage === "image") return pages.image?.zoom(direction);
  return currentPage === "studio" && studio.zoom(direction);
}

/** Sets the window's title; a page may pass a more specific one. */
function setTitle(specific = null) {
  document.title = currentPage === "studio" ? "Tessera" : `${specific ?? t(TITLES[currentPage])} · Tessera`;
}

/** Announces a finished or failed job when its image is not on the screen; a batch is announced once, when all is settled. */
function notifySettled(job) {
  const batch = jobs.batchOf(job);
  if (batch.length > 1) { notifyBatch(batch); return; }
  if (currentPage === "studio" && state.image?.id === job.imageId) return; // the card on the stage tells it
  if (job.phase === "done") toasts.info("job.ready", { name: job.name }, { key: "job.see", run: () => router.go(`/i/${job.result.id}`) });
  if (job.phase === "failed") toasts.warn("job.problem", { name: job.name, why: failureText(job.error) }, { key: "job.retry", run: () => jobActions.retry(job) });
}

function notifyBatch(batch) {
  if (batch.some(({ phase }) => !["done", "failed", "cancelled"].includes(phase))) return;
  const [done, failed] = ["done", "failed"].map((phase) => batch.filter((job) => job.phase === phase).length);
  if (!done && !failed) return;
  const open = { key: "batch.open", run: () => drawer.toggle(true) };
  if (failed) toasts.warn("batch.failed", { n: done, failed }, open);
  else if (part("job-drawer").hidden) toasts.info("batch.ready", { n: done }, open); // an open drawer shows it
}

function showOffline(offline) {
  part("offline").hidden = !offline;
  if (!offline) toasts.info("offline.back");
}
