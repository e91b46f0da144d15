/** A list item that links to a user. */

import { at } from "../base.js";
import { paintAvatar } from "./shell/header.js";

/** An <li> with the avatar and the name. */
export function userItem(name) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: at(`/u/${encodeURIComponent(name)}`), className: "people__link" });
  const avatar = Object.assign(document.createElement("span"), { className: "avatar" });
  avatar.setAttribute("aria-hidden", "true");
  paintAvatar(avatar, name);
  link.append(avatar, Object.assign(document.createElement("span"), { textContent: name }));
  item.append(link);
  return item;
}
