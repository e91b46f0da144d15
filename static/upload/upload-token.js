/** An upload token for one key. It is valid for minutes and is renewed when an upload takes longer. */

/** grant: the server's response, {token, key, upload_url, url, expires}. renew(key): requests another one for the same key. */
export class UploadToken {
  #grant;
  #renew;
  #renewal = null;

  constructor(grant, renew) {
    this.#grant = grant;
    this.#renew = renew;
  }

  /** The latest response of the server. */
  get grant() { return this.#grant; }

  /** Calls action(token). If the bucket reports an expired token, renews it and calls the action once more. */
  async use(action) {
    const { token } = this.#grant;
    try {
      return await action(token);
    } catch (error) {
      if (error.slug !== "upload_token") throw error;
      if (token === this.#grant.token) await this.#refresh();
      return action(this.#grant.token);
    }
  }

  /** Parts that fail at the same time share one renewal. */
  #refresh() {
    this.#renewal ??= this.#renew(this.#grant.key)
      .then((grant) => { this.#grant = grant; })
      .finally(() => { this.#renewal = null; });
    return this.#renewal;
  }
}
