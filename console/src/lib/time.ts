// Times as the house writes them, in every language: `24 Nov 13:54Z (14:54)`.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number: number) => String(Math.floor(number)).padStart(2, "0");

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** `13:54Z` */
export const utc = (at: number) => { const time = new Date(at); return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}Z`; };
/** `24 Nov` in UTC */
export const day = (at: number) => { const time = new Date(at); return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]}`; };
/** `14:54` where the person is */
export const local = (at: number) => { const time = new Date(at); return `${two(time.getHours())}:${two(time.getMinutes())}`; };
/** `24 Nov 13:54Z (14:54)` */
export const whole = (at: number) => `${day(at)} ${utc(at)} (${local(at)})`;
/** What a field of type `datetime-local` holds for a moment, in UTC. */
export const field = (at: number) => new Date(at).toISOString().slice(0, 16);

/** `+00:11:36`, `03:23:00`, or `6 d 02 h` */
export const span = (milliseconds: number) => {
  const rest = Math.abs(milliseconds);
  const [days, hours] = [Math.floor(rest / DAY), Math.floor((rest % DAY) / HOUR)];
  if (rest >= 2 * DAY) return `${days} d ${two(hours)} h`;
  return `${two(rest / HOUR)}:${two((rest % HOUR) / MINUTE)}:${two((rest % MINUTE) / SECOND)}`;
};
