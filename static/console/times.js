/** Short durations and exact moments, for people who look for a fault. */

import { duration, milliseconds, number } from "../format.js";
import { language } from "../i18n/i18n.js";

/** Seconds -> "80 ms", "1.4 s", "3 min". */
export function span(seconds) {
  if (seconds < 1) return milliseconds(Math.round(seconds * 1000));
  if (seconds < 10) return `${number(seconds, 1)} ${language() === "zh" ? "秒" : "s"}`;
  return duration(seconds);
}

/** The seconds between two ISO times. */
export const between = (start, end) => Math.max(0, (new Date(end) - new Date(start)) / 1000);

/** An ISO time -> "29 Nov, 21:40:03.120" in the reader's own zone. */
export function moment(iso) {
  const format = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false };
  return new Date(iso).toLocaleString(language() === "zh" ? "zh-CN" : "en-GB", format);
}
