/** Joins the parts. The only module that knows them all. */

import { Api } from "./api.js";
import { speech, started, switchSpeech, t } from "./i18n.js";
import { failure } from "./jobwords.js";
import { Jobs } from "./jobs.js";
import { Live } from "./live.js";
import { Router } from "./router.js";
import { State } from "./state.js";
import { Vault } from "./vault.js";
import { Confirm } from "./parts/confirm.js";
import { Keyboard } from "./parts/keyboard.js";
import { Sign } from "./parts/sign.js";
import { Toasts } from "./parts/toasts.js";
import { Top } from "./parts/top.js";
import { Tray } from "./parts/tray.js";
import { Studio } from "./pages/studio.js";

const LATER = {
  gallery: () => import("./pages/gallery.js"),
  picture: () => import("./pages/picture.js"),
  profile: () => import("./pages/profile.js"),
  account: () => import("./pages/account.js"),
  tasks: () => import("./pages/tasks.js"),
};
const TITLES = {
  studio: "nav.studio", gallery: "gallery.title", picture: "picture.title", profile: "profile.title",
  account: "account.title", tasks: "queue.title", lost: "lost.title",
};

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const section = (name) => document.querySelector(`[data-page="${name}"]`);

const api = new Api();
const state = new State();
const vault = new Vault();
const router = new Router();
const live = new Live(api);
const jobs = new Jobs({ api, state, vault, live });
const toasts = new Toasts(part("toasts"));
const confirm = new Confirm(part("confirm"));
const sign = new Sign(part("sign"), { api, state });
const jobActs = {
  cancel: (job) => jobs.cancel(job).catch((error) => toasts.fail(error)),
  retry: (job) => jobs.retry(job).catch((error) => toasts.fail(error)),
  dismiss: (job) => jobs.dismiss(job),
};
let listed = null;
/** One's own pictures; few people ask for them. */
const shelf = () => (listed ??= import("./shelf.js").then(({ Shelf }) => new Shelf({ api, state, jobs })));
const given = { api, state, vault, router, live, jobs, shelf, toasts, confirm, sign, jobActs };
const studio = new Studio(section("studio"), given);
const tray = new Tray({ root: part("tray"), button: part("activity"), count: part("activity-count"), jobs, acts: jobActs });
const top = new Top(part("top"), given);
const pages = { studio: { show: () => {} }, lost: { show: () => {} } };
let shown = null;
let moved = false;

new Keyboard(part("keys"), part("keys-open"), [
  { keys: ["?"], says: "keys.help" },
  { keys: ["o"], says: "keys.choose", act: () => studio.choose() },
  { keys: ["m"], says: "keys.make", act: () => { studio.make(); } },
  { keys: ["d"], says: "keys.download", act: () => { studio.save(); } },
  { keys: ["r"], says: "keys.roll", act: () => shown === "studio" && studio.roll() },
  { keys: ["["], says: "keys.before", act: () => shown === "studio" && studio.step(-1) },
  { keys: ["]"], says: "keys.after", act: () => shown === "studio" && studio.step(1) },
  { keys: [","], says: "keys.less", act: () => shown === "studio" && studio.slide(-5) },
  { keys: ["."], says: "keys.moreof", act: () => shown === "studio" && studio.slide(5) },
  { keys: ["+", "="], says: "keys.in", act: () => studio.zoom("in") },
  { keys: ["-"], says: "keys.out", act: () => studio.zoom("out") },
  { keys: ["0"], says: "keys.fit", act: () => studio.zoom("fit") },
  { keys: ["s"], says: "keys.studio", act: () => router.go("/") },
  { keys: ["g"], says: "keys.gallery", act: () => router.go("/gallery") },
  { keys: ["a"], says: "keys.activity", act: () => tray.toggle(part("tray").hidden) },
  { keys: ["l"], says: "keys.language", act: () => { switchSpeech(); } },
  { keys: ["Esc"], says: "keys.escape" },
]);

router.addEventListener("page", ({ detail }) => show(detail));
addEventListener("unhandledrejection", ({ reason }) => toasts.fail(reason?.slug ? reason : {}));
addEventListener("error", () => toasts.warn("error.unknown"));
api.addEventListener("offline", () => offline(true));
api.addEventListener("online", () => offline(false));
addEventListener("offline", () => api.reached(false));
addEventListener("online", () => api.session().catch(() => {}));
api.addEventListener("signedout", () => { if (state.user) state.set({ user: null }); });
state.addEventListener("user", () => live.again());
jobs.addEventListener("settled", ({ detail }) => settled(detail));
speech.addEventListener("change", () => { tray.redraw(); if (shown) name(); });
part("language").addEventListener("click", () => switchSpeech());

const restored = started.then(() => studio.restore());
const looked = Promise.all([sign.look(), api.styles(), restored]).then(([, { styles }]) => {
  state.set({ styles, recipe: state.recipe ?? { style: styles[0].name } });
}).catch((error) => toasts.fail(error));
await restored;
router.start();
document.documentElement.classList.remove("booting");
await looked;
await jobs.restore();
document.documentElement.classList.add("ready");
performance.mark("ready");

/** Shows a page, and only then fetches its module. */
async function show({ page, match, query, place }) {
  const same = shown === page;
  shown = page;
  for (const other of document.querySelectorAll("[data-page]")) other.hidden = other.dataset.page !== page;
  document.documentElement.dataset.shown = page;
  top.at(page);
  name();
  try {
    pages[page] ??= new (await LATER[page]()).Page(section(page), given, { cook: (recipe) => studio.cook(recipe), name });
    if (shown !== page) return;
    await looked;
    await pages[page].show({ match, query, place, same });
  } catch (error) {
    if (error.slug === "not_found" && shown === page) { show({ page: "lost", place: 0 }); return; }
    toasts.fail(error);
  }
  if (shown !== page) return;
  scrollTo({ top: place, behavior: "instant" });
  if (!same && moved) section(page).querySelector("h1")?.focus({ preventScroll: true });
  moved = true;
}

/** The window's title; a page may say more exactly what it shows. */
function name(exact = null) {
  document.title = shown === "studio" ? "Tessera" : `${exact ?? t(TITLES[shown])} · Tessera`;
}

/** Something has ended while the person may be elsewhere. */
function settled(job) {
  const here = shown === "studio" && state.picture?.id === job.picture;
  if (job.phase === "done" && !here) toasts.tell("job.ready", { name: job.name }, { key: "job.see", do: () => router.go(`/i/${job.result.id}`) });
  if (job.phase === "failed") toasts.warn("job.broke", { name: job.name, why: failure(job.error) }, { key: "job.retry", do: () => jobActs.retry(job) });
}

function offline(on) {
  part("offline").hidden = !on;
  if (!on) toasts.tell("offline.back");
}
