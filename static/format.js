/** Numbers, sizes, times and dates, formatted for the current language. */

import { language, t } from "./i18n/i18n.js";

const tag = () => (language() === "zh" ? "zh-CN" : "en-GB");

/** 1234.5 -> "1,234.5" */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(tag(), { maximumFractionDigits: digits }).format(value);

/** Millions of pixels for the strings: 54 -> "54"; in Chinese, which counts in ten thousands, "5400 万". */
export const megapixels = (value) => (language() === "zh" ? `${Math.round(value * 100)} 万` : number(value, 1));

/** 0 to 100 -> "43 %" */
export const percent = (value) =>
  new Intl.NumberFormat(tag(), { style: "percent", maximumFractionDigits: 0 }).format(value / 100);

/** Bytes -> "3.4 MB"; decimal units, like file managers. */
export function size(bytes) {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return new Intl.NumberFormat(tag(), { style: "unit", unit: steps[step], maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** Milliseconds -> "80 ms", or as duration() from a second on. */
export const milliseconds = (ms) => (ms < 1000 ? `${number(ms)} ${language() === "zh" ? "毫秒" : "ms"}` : duration(ms / 1000));

/** Seconds -> "4 sec" or "2 min". */
export function duration(seconds) {
  const [value, unit] = seconds < 90 ? [Math.max(1, Math.round(seconds)), "second"] : [Math.round(seconds / 60), "minute"];
  return spaced(new Intl.NumberFormat(tag(), { style: "unit", unit, unitDisplay: "short" }).format(value));
}

/** An ISO time -> "3 minutes ago", or the date when it is older than a week. */
export function when(iso) {
  const date = new Date(iso);
  const seconds = (date - Date.now()) / 1000;
  if (Math.abs(seconds) < 45) return t("time.now");
  const relative = new Intl.RelativeTimeFormat(tag(), { numeric: "auto" });
  for (const [unit, length, limit] of [["minute", 60, 3600], ["hour", 3600, 86400], ["day", 86400, 604800]]) {
    if (Math.abs(seconds) < limit) return spaced(relative.format(Math.round(seconds / length), unit));
  }
  return day(iso);
}

/** A space between a number and Chinese, as in all texts of the page. */
const spaced = (text) => text.replace(/(\d)(?=[\u4e00-\u9fff])/g, "$1 ");

/** An ISO time -> "5 December 2026" */
export const day = (iso) => new Intl.DateTimeFormat(tag(), { dateStyle: "long" }).format(new Date(iso));

/** Width and height in pixels -> "4,000 × 3,000 px"; in Chinese "4000 × 3000 像素". */
export const pixels = (width, height) =>
  (language() === "zh" ? `${width} × ${height} 像素` : `${number(width)} × ${number(height)} px`);
