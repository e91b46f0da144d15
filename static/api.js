/** The server's JSON interface. The only module that calls fetch. */

import { language } from "./i18n.js";

/** A refusal or a failure. `slug` is the server's, or "offline", "aborted", "internal". */
export class ApiError extends Error {
  constructor({ error, message, code = 0, field = null }, status = 0, retryAfter = null) {
    super(message ?? "");
    Object.assign(this, { slug: error ?? "internal", code, field, status, retryAfter });
  }
}

/** Dispatches "offline" and "online" as answers fail and come back, and "signedout" when the session has ended. */
export class Api extends EventTarget {
  #reachable = true;

  session = () => this.#get("/api/session/");
  styles = () => this.#get("/api/styles/");
  signUp = (email, username, password) => this.#post("/api/user/add/", { email, username, password });
  signIn = (username, password) => this.#post("/api/user/query/", { username, password });
  signOut = () => this.#post("/api/user/logout/", {});
  person = (username) => this.#get("/api/user/query/", { username });
  follow = (from, to, on) =>
    this.#post("/api/user/follow/", { from_user_name: from, to_user_name: to, follow_bool: on ? 1 : 0 });
  changeAccount = (change) => this.#post("/api/user/change/", change);
  deleteAccount = (password) => this.#post("/api/user/delete/", { password });
  uploadToken = (filename, filesize, param, key) => this.#post("/api/image/token/", { filename, filesize, param, key });
  addInfo = (url, filename, param, user_id) => this.#post("/api/image/addinfo/", { url, filename, param, user_id });
  image = (id, signal) => this.#get("/api/image/query/", { id }, signal);
  changeImage = (change) => this.#post("/api/image/change/", change);
  deleteImage = (id) => this.#post("/api/image/delete/", { id });
  feed = (asked, signal) => this.#get("/api/feed/", asked, signal);
  addTask = (url, recipe) => this.#post("/api/tasks/add/", { url, type: "model", param: JSON.stringify(recipe) });
  tasks = (asked) => this.#get("/api/tasks/query/", asked);
  cancelTask = (id) => this.#post("/api/tasks/cancel/", { id });
  retryTask = (id) => this.#post("/api/tasks/retry/", { id });
  pauseQueue = (on) => this.#post(on ? "/api/tasks/pause/" : "/api/tasks/resume/", {});

  /** A recipe for the full picture, tried on a copy `scale` times its size. Returns the drawn picture as a Blob. */
  async preview(blob, recipe, scale, signal) {
    const body = new FormData();
    body.append("param", JSON.stringify(recipe));
    body.append("scale", String(scale));
    body.append("file", blob, "preview.jpg");
    const response = await this.#send("/api/preview/", { method: "POST", body, signal });
    if (isJson(response)) throw await this.#refusal(response);
    return response.blob();
  }

  /** The bytes of a picture of ours, for a download or a conversion. */
  async bytes(url) {
    const response = await this.#send(url, {});
    if (!response.ok) throw await this.#refusal(response);
    return response.blob();
  }

  /** A JSON file beside a picture of ours. */
  async file(url) { return JSON.parse(await (await this.bytes(url)).text()); }

  #get(path, asked = {}, signal = undefined) {
    const given = Object.entries(asked).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const query = new URLSearchParams(given).toString();
    return this.#json(query ? `${path}?${query}` : path, { signal });
  }

  #post(path, body) {
    return this.#json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  async #json(path, options) {
    const response = await this.#send(path, options);
    if (!isJson(response)) throw new ApiError({}, response.status);
    const answer = await response.clone().json();
    if (!response.ok || (answer.code ?? 1) < 1) throw await this.#refusal(response);
    return answer;
  }

  async #send(path, options) {
    const headers = { ...options.headers, "Accept-Language": language() };
    try {
      const response = await fetch(path, { ...options, headers, credentials: "same-origin" });
      this.reached(true);
      return response;
    } catch (error) {
      if (error.name === "AbortError") throw new ApiError({ error: "aborted" });
      this.reached(false);
      throw new ApiError({ error: "offline" });
    }
  }

  async #refusal(response) {
    const answer = isJson(response) ? await response.json() : {};
    if (response.status === 401) this.dispatchEvent(new Event("signedout"));
    return new ApiError(answer, response.status, Number(response.headers.get("Retry-After")) || null);
  }

  /** Told by whoever talks to the server whether it answered. */
  reached(now) {
    if (now === this.#reachable) return;
    this.#reachable = now;
    this.dispatchEvent(new Event(now ? "online" : "offline"));
  }
}

function isJson(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("application/json");
}
