/** Leave to upload under one key: a token that holds for minutes, and a fresh one when a file takes longer. */

/** asked: the server's answer, {token, key, upload_url, url, expires}. renew(key): asks it again, for the same key. */
export class Leave {
  #asked;
  #renew;
  #renewing = null;

  constructor(asked, renew) {
    this.#asked = asked;
    this.#renew = renew;
  }

  /** The server's latest answer. */
  get asked() { return this.#asked; }

  /** Acts with the token; where the bucket says that its time is over, once more with a fresh one for the same key. */
  async use(act) {
    const { token } = this.#asked;
    try {
      return await act(token);
    } catch (error) {
      if (error.slug !== "upload_token") throw error;
      if (token === this.#asked.token) await this.#ask();
      return act(this.#asked.token);
    }
  }

  /** Parts that find out at the same time ask once. */
  #ask() {
    this.#renewing ??= this.#renew(this.#asked.key)
      .then((asked) => { this.#asked = asked; })
      .finally(() => { this.#renewing = null; });
    return this.#renewing;
  }
}
