/** Data that survives a reload: opened images, unfinished jobs, the recipe. Stored in this browser only (IndexedDB). */

const DATABASE = "tessera";
const STORE = "entries";

/** A key-value store. In browsers without IndexedDB (some private windows) it stores nothing and reads undefined. */
export class KeyValueStore {
  #database = open();

  /** The value of a key, or undefined. */
  get = (key) => this.#transact("readonly", (store) => store.get(key));

  /** Stores a value; Blobs are allowed. */
  set = (key, value) => this.#transact("readwrite", (store) => store.put(value, key));

  /** Deletes a key. */
  delete = (key) => this.#transact("readwrite", (store) => store.delete(key));

  async #transact(mode, operation) {
    const database = await this.#database;
    if (!database) return undefined;
    return new Promise((resolve) => {
      try {
        const request = operation(database.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = (event) => { event.preventDefault(); resolve(undefined); };
      } catch {
        resolve(undefined);
      }
    });
  }
}

function open() {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}
