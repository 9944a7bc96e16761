//! The limits of what an object may be, each with its reason.

/// Largest body of one statement, bytes. ATT&CK's largest object is 60 kB, the largest published MISP events are 2–6 MB.
pub const BODY_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting of JSON that is accepted. STIX needs 8, MISP 7; deeper is an attack on parsers.
pub const JSON_DEPTH: usize = 32;
/// Largest integer that every JSON reader keeps exactly (RFC 8259 §6, I-JSON).
pub const JSON_INTEGER: u64 = 1 << 53;
/// Most keys of one JSON object: duplicates are looked for, so the number is bounded.
pub const JSON_KEYS: usize = 4_096;
/// Most references that one object may carry (a STIX report over a large campaign has some thousands).
pub const OBJECT_REFS: usize = 20_000;
/// Longest STIX identifier, bytes: a type of 250 (STIX 2.1 §3.1) with `--` and a UUID.
pub const STIX_ID_BYTES: usize = 288;
/// Most members of one audience: every state of the world, with bodies and providers, fits twice.
pub const MEMBERS: usize = 512;
/// Longest name of an audience or authority, bytes.
pub const NAME_BYTES: usize = 200;
/// Longest free text of our own objects (reason of a withdrawal), bytes.
pub const TEXT_BYTES: usize = 4_000;
/// Longest name of an exercise realm, after `EX-`.
pub const REALM_BYTES: usize = 32;
/// Most ranges of one statement about lost entries: 40 kB of them; more are said in several.
pub const LOST_RANGES: usize = 1_000;
/// Longest line that says what a classified annex is about, bytes: enough for a sentence, too short for its content.
pub const SUMMARY_BYTES: usize = 500;
/// Most lines of a call for help, an offer or an acceptance: whoever needs more asks twice.
pub const ASSISTANCE_LINES: usize = 200;
/// Most languages that one line names: the EU has 24.
pub const LANGUAGES: usize = 24;
/// Longest name of somebody who signs, and longest number of an authority, bytes.
pub const SIGNED_NAME_BYTES: usize = 200;
/// A call for help lapses after this at most, seconds: 90 days (practice of the UCPM).
pub const REQUEST_SECONDS: i64 = 90 * 24 * 3600;
/// Most that one mission may say it has cost, cents: a billion euro is a typing error.
pub const COST_CENTS: u64 = 100_000_000_000;
/// Most rungs of a ladder: whoever is not awake after eight is not coming.
pub const RUNGS: usize = 8;
/// Longest that one rung waits for an answer, minutes.
pub const RUNG_MINUTES: u16 = 120;
/// Longest shift, seconds: a month of standing by; longer is a typing error.
pub const SHIFT_SECONDS: i64 = 31 * 24 * 3600;
/// Longest telephone number, bytes: fifteen digits (ITU-T E.164 §6.2.1) with their spaces and an extension.
pub const TELEPHONE_BYTES: usize = 40;
/// Longest mail address, bytes (RFC 5321 §4.5.3.1.3: a path of 256 with its brackets).
pub const MAIL_BYTES: usize = 254;
/// Most seals on one disk.
pub const SEALS: usize = 20;
/// Most windows of one capacity's calendar: a year of nights and weekends fits.
pub const CAPACITY_WINDOWS: usize = 400;
/// Most short words in one list of a capacity (skills, tools, certificates): more is a brochure.
pub const CAPACITY_WORDS: usize = 50;
/// Most capacities from which one offered line is drawn: a line is filled by a few teams, not by a crowd.
pub const DRAWS: usize = 16;
/// Most that one person or piece may cost a day, cents: a million euro is a typing error.
pub const DAY_CENTS: u64 = 100_000_000;
/// Most systems of a mandate: beyond it, it is a network, and is named as one.
pub const MANDATE_SYSTEMS: usize = 100;
/// Most helpers of a mandate: three shifts of the largest team that was ever lent.
pub const MANDATE_HELPERS: usize = 100;
/// Most bytes of a mandate: it goes to a gate within a signed note, which has 16 KiB at most.
pub const MANDATE_BYTES: usize = 12 * 1024;
/// Longest mandate, seconds: what lasts longer than a month is consented to again.
pub const MANDATE_SECONDS: i64 = 31 * 24 * 3600;
/// Most bytes of a signed consent: a note of six short lines.
pub const CONSENT_BYTES: usize = 2_000;
/// Largest sealed file of evidence that goes over the network, bytes: 100 GB; what is larger goes on a disk by courier.
pub const SEALED_BYTES: u64 = 100_000_000_000;
/// Most people to whom one file of evidence is sealed: a team, with its deputies.
pub const ARTEFACT_RECIPIENTS: usize = 20;
/// Most steps of a dossier for the Reserve: the eleven of the law, and some that are given back and taken again.
pub const RESERVE_STEPS: usize = 32;
/// Largest file that shows a step, bytes: an acknowledgement on some pages. Each version of the dossier carries it.
pub const PROOF_BYTES: u64 = 256 * 1024;
