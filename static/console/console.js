/** The developers' part of the queue page, fetched when it is first needed: curves, bulk changes, one task, the reference. */

import { addStrings } from "../i18n/i18n.js";
import { BulkBar } from "./bulk-bar.js";
import { Reference } from "./reference.js";
import { StatusPanels } from "./status.js";
import { TaskStory } from "./story.js";
import { strings as en } from "./strings.en.js";
import { strings as zh } from "./strings.zh.js";

addStrings({ en, zh });

/** elements: where its parts are drawn, {status, bulk, detail}. handlers: {onResume, onError, onChanged}. */
export class Console {
  constructor(elements, services, handlers) {
    this.status = new StatusPanels(elements.status, handlers);
    this.bulk = new BulkBar(elements.bulk, services, handlers.onChanged);
    this.story = new TaskStory(elements.detail, services);
    this.reference = new Reference(elements.detail, services);
  }
}
