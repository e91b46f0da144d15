/** The server's JSON interface. The only module that calls fetch. */

import { at, pathOf } from "./base.js";
import { language } from "./i18n/i18n.js";

const PROBE_INTERVAL_MS = 2000;

/** A failed request. `slug` is the server's error name, or "offline", "aborted", "internal". */
export class ApiError extends Error {
  constructor({ error, message, code = 0, field = null }, status = 0, retryAfter = null) {
    super(message ?? "");
    Object.assign(this, { slug: error ?? "internal", code, field, status, retryAfter });
  }
}

/** The module of a dynamic import; a failure is an ApiError "offline" instead of the browser's untranslated message. */
export const loadModule = (promise) => promise.catch(() => { throw new ApiError({ error: "offline" }); });

/** Dispatches "offline" and "online" when the server stops and starts responding, and "signedout" when the session has ended. */
export class Api extends EventTarget {
  #reachable = true;
  #idsPerRequest = 1; // until the server has said how many

  session = async () => {
    const session = await this.#get("/api/session/");
    this.#idsPerRequest = session.limits.max_ids;
    return session;
  };

  styles = () => this.#get("/api/styles/");
  signUp = (email, username, password) => this.#post("/api/user/add/", { email, username, password });
  signIn = (username, password) => this.#post("/api/user/query/", { username, password });
  openGuest = () => this.#post("/api/user/guest/", {});
  signOut = () => this.#post("/api/user/logout/", {});
  user = (username) => this.#get("/api/user/query/", { username });
  follow = (from, to, on) =>
    this.#post("/api/user/follow/", { from_user_name: from, to_user_name: to, follow_bool: on ? 1 : 0 });
  changeAccount = (change) => this.#post("/api/user/change/", change);
  deleteAccount = (password) => this.#post("/api/user/delete/", { password });
  uploadToken = ({ name: filename, size: filesize, param, sourceVisibility: visibility }, key) =>
    this.#post("/api/image/token/", { filename, filesize, param, visibility, key });
  addInfo = (url, filename, param, user_id) => this.#post("/api/image/addinfo/", { url, filename, param, user_id });
  image = (id, signal) => this.#get("/api/image/query/", { id }, signal);
  /** The pictures in a photomosaic, as far as the user may know of them. */
  tiles = (id) => this.#get("/api/image/tiles/", { id });
  changeImage = (change) => this.#post("/api/image/change/", change);
  /** Changes who sees any number of the user's images. Returns the ids of those that were changed. */
  async changeVisibility(ids, visibility) {
    const changed = [];
    for (let start = 0; start < ids.length; start += this.#idsPerRequest) {
      const some = ids.slice(start, start + this.#idsPerRequest);
      changed.push(...(await this.#post("/api/image/visibility/", { ids: some, visibility })).changed);
    }
    return changed;
  }

  deleteImage = (id) => this.#post("/api/image/delete/", { id });
  pool = (of, more = {}) => this.#get("/api/image/pool/", { of, ...more });
  feed = (params, signal) => this.#get("/api/feed/", params, signal);
  addTask = (url, { recipe, visibility, batch }, requestId) => {
    const param = JSON.stringify(recipe);
    return this.#post("/api/tasks/add/", { url, type: "model", param, visibility, batch: batch ?? undefined, request_id: requestId });
  };

  tasks = (params) => this.#get("/api/tasks/query/", params);
  cancelTask = (id) => this.#post("/api/tasks/cancel/", { id });
  retryTask = (id) => this.#post("/api/tasks/retry/", { id });
  queueStatus = () => this.#get("/api/queue/status/");
  queueTasks = (params) => this.#get("/api/queue/tasks/", params);
  taskStory = (id) => this.#get("/api/queue/task/", { id });
  changeTasks = (action, filter) => this.#post("/api/queue/change/", { ...filter, action });
  reference = () => this.#get("/api/openapi.json");
  pauseQueue = (on) => this.#post(on ? "/api/tasks/pause/" : "/api/tasks/resume/", {});

  /** Renders a recipe on a copy of the image, `scale` times its size. Returns {blob, report: {difference, missing}}. */
  async preview(blob, recipe, scale, signal) {
    const body = new FormData();
    body.append("param", JSON.stringify(recipe));
    body.append("scale", String(scale));
    body.append("file", blob, "preview.jpg");
    const response = await this.#send("/api/preview/", { method: "POST", body, signal });
    if (isJson(response)) throw await this.#errorFrom(response);
    return { blob: await response.blob(), report: JSON.parse(response.headers.get("X-Preview-Report")) };
  }

  /** Sends a file for `region`. Returns the name by which the server has it in memory. */
  async previewSource(file) {
    const headers = { "Content-Type": "application/octet-stream" };
    return (await this.#json("/api/preview/source/", { method: "POST", body: file, headers })).source;
  }

  /** The pixels of a result in a region. shares: left, top, right, bottom. Returns {blob, box, size}, in pixels of the result. */
  async region(source, recipe, [left, top, right, bottom], reduction, signal) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ param: JSON.stringify(recipe), source, left, top, right, bottom, reduction })) body.append(name, String(value));
    const response = await this.#send("/api/preview/", { method: "POST", body, signal });
    const place = JSON.parse(response.headers.get("X-Preview-Region"));
    if (!place || isJson(response)) throw await this.#errorFrom(response); // a proxy may drop the header
    return { blob: await response.blob(), ...place };
  }

  /** The image in a file as the server decodes it, its longer side at most maxSide. Returns {blob, width, height}. */
  async rendition(file, maxSide) {
    const headers = { "Content-Type": "application/octet-stream" };
    const response = await this.#send(`/api/rendition/?max_side=${maxSide}`, { method: "POST", body: file, headers });
    if (isJson(response)) throw await this.#errorFrom(response);
    const [width, height] = ["Width", "Height"].map((side) => Number(response.headers.get(`X-Image-${side}`)));
    return { blob: await response.blob(), width, height };
  }

  /** The bytes of an image on the server or the bucket. */
  async bytes(url) {
    const response = await this.#send(url, {});
    if (!response.ok) throw await this.#errorFrom(response);
    return response.blob();
  }

  /** The plan to build a result, as a PDF. */
  plan = (params) => this.bytes(`/api/image/plan/?${new URLSearchParams(params)}`);

  /** A result as a PDF of its true size. poster: the paper to cut it over, if any. */
  pdf = (id, poster = "none") => this.bytes(`/api/image/pdf/?${new URLSearchParams({ id, poster })}`);

  /** A JSON file that belongs to an image, such as its cell map. */
  async file(url) { return JSON.parse(await (await this.bytes(url)).text()); }

  #get(path, params = {}, signal = undefined) {
    const pairs = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const query = new URLSearchParams(pairs).toString();
    return this.#json(query ? `${path}?${query}` : path, { signal });
  }

  #post(path, body) {
    return this.#json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  async #json(path, options) {
    const response = await this.#send(path, options);
    if (!isJson(response)) throw new ApiError({}, response.status);
    const document = await response.clone().json();
    if (!response.ok || (document.code ?? 1) < 1) throw await this.#errorFrom(response);
    return document;
  }

  async #send(path, options) {
    const headers = { ...options.headers, "Accept-Language": language() };
    const own = path.startsWith("/"); // other addresses come from users: a cookie would act for the visitor
    try {
      const response = await fetch(own ? at(pathOf(path)) : path, { ...options, headers, credentials: own ? "same-origin" : "omit" });
      this.setReachable(true);
      return response;
    } catch (error) {
      if (error.name === "AbortError") throw new ApiError({ error: "aborted" });
      this.setReachable(false);
      throw new ApiError({ error: "offline" });
    }
  }

  async #errorFrom(response) {
    const document = isJson(response) ? await response.json() : {};
    if (response.status === 401) this.dispatchEvent(new Event("signedout"));
    return new ApiError(document, response.status, Number(response.headers.get("Retry-After")) || null);
  }

  /** Asks until the server responds again, so that the page recovers without an action of the user. */
  async #probe() {
    while (!this.#reachable) {
      await new Promise((resolve) => { setTimeout(resolve, PROBE_INTERVAL_MS); });
      if (!this.#reachable && document.visibilityState === "visible") await this.session().catch(() => {});
    }
  }

  /** Whether the server responded to the last request. */
  get reachable() { return this.#reachable; }

  /** Records whether the server responded; called after every request and by the event stream. */
  setReachable(reachable) {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.dispatchEvent(new Event(reachable ? "online" : "offline"));
    if (!reachable) this.#probe();
  }
}

function isJson(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("application/json");
}
