//! The limits of the conductor, each with its reason.

use std::time::Duration;

/// Most objects of one bulk command (architecture §3): bounds the time that one client holds the writer.
pub const COMMAND_OBJECTS: usize = 1_000;
/// Most commands of one group commit: bounds how long the first waits for the others.
pub const BATCH_COMMANDS: usize = 256;
/// Most commands that wait for the writer before callers are told to come back.
pub const WRITE_QUEUE: usize = 1_024;
/// Read connections kept open: two cores read, and a long page must not block a login.
pub const READERS: usize = 4;
/// Most items of one page of the releases feed.
pub const FEED_ITEMS: usize = 1_000;
/// A page of the feed stops growing at this many bytes of openings (one object may exceed it alone).
pub const FEED_BYTES: usize = 4 * 1024 * 1024;
/// Most commitments of one page: 1 MiB of them.
pub const FEED_COMMITMENTS: usize = 32_768;
/// How long a long-poll waits for something new, seconds. Below the idle time-outs of common middleboxes.
pub const POLL_SECONDS: u32 = 45;
/// New commitments that open nothing for the caller wait this long for company, milliseconds: most polls would
/// otherwise wake for receipts between others.
pub const QUIET_MILLIS: u64 = 2_000;
/// First and last pause after a failed poll, milliseconds; doubled each time, with jitter.
pub const BACKOFF_MILLIS: (u64, u64) = (250, 30_000);
/// Disk that one partner's statements may take, bytes: 100 times ATT&CK for every nation fits ten times over.
pub const PARTNER_BYTES: u64 = 20 * 1024 * 1024 * 1024;
/// Polls of one partner that are answered a second; an honest one long-polls.
pub const PARTNER_POLLS_PER_SECOND: u32 = 50;
/// Most statements of one call for help that are read: 27 answers with some hundred steps each.
pub const CASE_STATEMENTS: usize = 4_096;
/// Longest way from a statement to the call for help that it belongs to: acknowledgement, retraction, acceptance, offer,
/// request.
pub const CASE_DEPTH: usize = 6;
/// Most partners without a node: each key is tried on each mail that comes in.
pub const REACHED: usize = 200;
/// Most letters that are looked at in one turn, and most that a feed gives at once: whoever waits is next.
pub const LETTERS: usize = 50;
/// How often a letter is tried: with pauses that double from a minute, for two hours. Then a person has to call.
pub const LETTER_TRIES: u32 = 8;
/// The longest pause between two looks at letters, seconds.
pub const LETTER_SECONDS: u64 = 30;
/// How long what was said over the telephone waits to be read back and confirmed, seconds: nobody stays on the line longer.
pub const DRAFT_SECONDS: i64 = 3_600;
/// How often the mailbox is looked at, seconds: a mail that answers a call for help waits no longer than that.
pub const MAILBOX_SECONDS: u64 = 10;
/// Most mails that are taken in at once: each may run gpg for a second.
pub const MAILS_AT_ONCE: usize = 20;
/// Most mails that wait for a person: what comes beyond stays on the mail server.
pub const MAILS_WAITING: usize = 1_000;
/// How long a mail is kept after somebody has decided about it, seconds: ninety days, as long as a request may be open.
pub const MAIL_KEPT_SECONDS: i64 = 90 * 86_400;
/// Rows of one page on screens and in the API (style §6).
pub const PAGE_ROWS: usize = 100;
/// Largest page that a client may ask for.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Statements folded again in one step of a rebuild.
pub const REBUILD_STEP: usize = 1_000;
/// Keys of bodies that are wrapped anew in one transaction: a tenth of a second, so that commands get in between.
pub const REWRAP_STEP: usize = 1_000;
/// A partner that could not be told who we are now is told again after this, seconds.
pub const ANNOUNCE_PAUSE_SECONDS: u64 = 5;
/// Wrong passwords before an account waits, and for how long, seconds.
pub const LOGIN_TRIES: u32 = 8;
/// See [`LOGIN_TRIES`].
pub const LOGIN_PAUSE_SECONDS: i64 = 300;
/// A session ends this long after login, seconds: one shift.
pub const SESSION_SECONDS: i64 = 12 * 3600;
/// Most passkeys of one account: some devices and some spare keys.
pub const PASSKEYS: usize = 16;
/// A challenge is good this long, seconds: a person finds the key, and touches it.
pub const PASSKEY_SECONDS: i64 = 300;
/// Whoever registers a passkey has logged in at most this long ago, seconds: a screen that was left open must not give
/// away the account for good.
pub const PASSKEY_FRESH_SECONDS: i64 = 900;
/// Most answered challenges that are remembered: each is a login of the last [`PASSKEY_SECONDS`], so that more are no
/// people.
pub const PASSKEY_ANSWERED: u64 = 4_096;
/// Longest `clientDataJSON` that is read, bytes: browsers send some 200.
pub const CLIENT_DATA_BYTES: usize = 4 * 1024;
/// Longest authenticator data that is read, bytes: a credential id of 1,023 bytes, a key, and extensions.
pub const AUTHENTICATOR_DATA_BYTES: usize = 4 * 1024;
/// Longest credential id, bytes (WebAuthn Level 3 §4, "credential id").
pub const CREDENTIAL_ID_BYTES: usize = 1_023;
/// Longest host name, bytes (RFC 1035 §2.3.4).
pub const HOST_BYTES: usize = 253;
/// Most excerpt of a bad page that is kept as evidence, bytes.
pub const EVIDENCE_BYTES: usize = 64 * 1024;
/// Somebody who opens the same page again within this time, seconds, has read it once: a screen that refreshes itself
/// must not fill the ledger.
pub const READING_SECONDS: i64 = 3600;
/// Most own people who are named for one RED thread: more of them are an audience.
pub const RED_READERS: usize = 64;
/// Most guests at once of one RED thread: each is a person with whom somebody telephones.
pub const GUESTS: usize = 16;
/// Longest invitation of a guest, hours: thirty days, the length of an incident's aftermath.
pub const GUEST_HOURS: u32 = 720;
/// A guest's code opens this long after it was made, seconds: it is told over the telephone while both are at it.
pub const GUEST_CODE_SECONDS: i64 = 3600;
/// Wrong codes that a guest's code bears: five of 10^8 are one chance in 20 million.
pub const GUEST_TRIES: u32 = 5;
/// Digits of a typed code that are looked at: the eight of a code, with room for a mistake.
pub const GUEST_CODE_LETTERS: usize = 16;
/// A guest's code begins a reading of this long, seconds: some pages, with a telephone call between.
pub const GUEST_READING_SECONDS: i64 = 900;
/// Answers to idempotency keys are remembered this long, seconds.
pub const IDEMPOTENCY_SECONDS: i64 = 7 * 24 * 3600;
/// Longest idempotency key, bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// A partner is told what we know of common logs this often, seconds: a fork is found within two of these, and the
/// checkpoints of 27 logs are 7 kB.
pub const GOSSIP_SECONDS: u64 = 30;
/// What a partner tells of common logs is looked at this often at most, milliseconds: each time is a transaction, and
/// a partner that floods must not keep the disk busy. What is passed over is told again.
pub const HEAR_MILLIS: u64 = 1_000;
/// Ends of chains that a partner is told at once: 35 kB before compression; of more, others are told the next time.
pub const HEADS_TOLD: usize = 256;
/// Chains shared with a partner that are looked at before those to tell are chosen: 27 nations with 75 audiences each.
pub const CHAINS: usize = 4_096;
/// Places of chains that are shown to a partner which said that something else stands there: a log that lies to two
/// members once is found out, and a partner that makes up differences gets no more than 16 kB.
pub const DISPUTES: usize = 8;
/// A partner that holds more of an audience than was shown to us is pointed out after this, seconds: less is a delay,
/// with word every [`GOSSIP_SECONDS`] and pauses of [`BACKOFF_MILLIS`].
pub const BEYOND_SECONDS: i64 = 600;
/// Items of one plan of retention: what is due beyond it comes with the next plan. A person can look through it.
pub const PLAN_ITEMS: usize = 10_000;
/// Items that are purged in one transaction: bounds how long the writer is held, as for a bulk command.
pub const PURGE_BATCH: usize = 500;
/// A plan of retention is applied within this time, seconds: later it is made anew, and looked at.
pub const PLAN_SECONDS: i64 = 24 * 3600;
/// Retention refuses when the clock is further than this from what has come in or was witnessed last, seconds: a clock
/// that jumped looks like a long silence, and nobody's data is due because of it.
pub const SILENCE_SECONDS: i64 = 30 * 24 * 3600;
/// Longest time for which a rule keeps data, days: a century.
pub const RETENTION_DAYS: u32 = 36_525;
/// Statements that one spill purges: an object that more nations than that speak of is spilled entry by entry.
pub const SPILL_STATEMENTS: usize = 1_000;
/// Shortest word, bytes, that a spill looks for in remembered answers: a shorter one stands in nearly all of them.
pub const SPILL_WORD_BYTES: usize = 4;
/// Most witnesses of a log (architecture §3: three to five).
pub const WITNESSES: usize = 5;
/// Entries of the intelligence lane are witnessed together, at most this long after they were said, seconds: the
/// workflow lane does not wait. It bounds what is kept of witnessed checkpoints to a few megabytes a day.
pub const WITNESS_BULK_SECONDS: u64 = 10;
/// A round that too few witnesses have answered gives way to a newer checkpoint after this, seconds.
pub const WITNESS_ROUND_SECONDS: u64 = 5;
/// A witness that refused or did not answer is asked again after this, seconds.
pub const WITNESS_PAUSE_SECONDS: u64 = 5;
/// Between two requests for a time stamp, seconds: authorities ask for patience, and each stamp is kept.
pub const STAMP_PAUSE_SECONDS: u64 = 10;
/// An authority that gave no time stamp is asked again after this, seconds.
pub const STAMP_RETRY_SECONDS: u64 = 60;
/// Most signature lines that are looked at in a witness's answer: one is ours to check.
pub const WITNESS_LINES: usize = 8;
/// While this node fetches its log back, partners are asked again after this, seconds: what they hold changes as they
/// come back, and each question is small.
pub const RECOVERY_PAUSE_SECONDS: u64 = 3;
/// A speaking node that has heard every partner looks again for new ones after this, seconds.
pub const LOOK_SECONDS: u64 = 60;
/// Most pages of one partner's answer about our log: four billion entries.
pub const RECOVERY_PAGES: usize = 131_072;
/// A proposal about our own log waits this long for the second person, seconds: one telephone call.
pub const PROPOSAL_SECONDS: i64 = 3600;
/// An act waits this long for its second person, seconds: a day, after which what it answers has changed.
pub const ACT_SECONDS: i64 = 24 * 3600;
/// What one person signed alone is ratified within this, seconds, or flagged (workflows §0).
pub const RATIFY_SECONDS: i64 = 12 * 3600;
/// Paper follows an agreement that one person signed in an emergency within this, seconds: 30 days (practice of EMAC).
pub const PAPER_SECONDS: i64 = 30 * 24 * 3600;
/// Most acts that wait at once: nobody decides about more in a day.
pub const ACTS_WAITING: usize = 200;
/// Acts are forgotten after this, seconds: a year and a month, for the yearly report.
pub const ACTS_KEPT_SECONDS: i64 = 400 * 24 * 3600;
/// Longest life of a standing authority, seconds: a year; a head signs it anew.
pub const AUTHORITY_SECONDS: i64 = 366 * 24 * 3600;
/// Most standing authorities: a hundred officers with several each.
pub const AUTHORITIES: usize = 1_000;
/// Most items of one handover: nobody takes over more in a quarter of an hour.
pub const HANDOVER_ITEMS: usize = 200;
/// Handovers are forgotten after this, seconds: a year and a month, as who was woken is.
pub const HANDOVER_KEPT_SECONDS: i64 = 400 * 24 * 3600;
/// Pause between two questions to a partner about our own log, milliseconds: half of [`PARTNER_POLLS_PER_SECOND`].
pub const FETCH_PAUSE_MILLIS: u64 = 40;
/// Bodies of one page of an export, bytes: a detector on a slow line gets a page in a minute.
pub const EXPORT_BYTES: usize = 8 * 1024 * 1024;
/// Named lists for detectors: a nation has a dozen kinds of them.
pub const EXPORT_LISTS: usize = 200;
/// Longest name of a list, bytes: it stands in an address.
pub const LIST_NAME_BYTES: usize = 60;
/// Erased bodies that the purge list is told in one step.
pub const PURGES_STEP: usize = 1_000;
/// Alerts of one class that one partner's doings begin within an hour: what comes beyond is shown, and waits. Nobody sleeps
/// through a flood, and nobody's call for help waits behind somebody else's.
pub const ALERTS_AN_HOUR: u64 = 6;
/// Most events that are looked at in one turn; the rest comes with the next.
pub const ALERT_EVENTS: usize = 1_000;
/// Statements that wake nobody are passed over in steps of so many, so that each look is short.
pub const ALERT_PASSED_OVER: i64 = 1_000;
/// The longest pause between two looks at what is due, seconds: a clock that was set forward is seen after it.
pub const ALERT_SECONDS: u64 = 30;
/// The shortest, milliseconds: a bulk import must not be read entry by entry.
pub const ALERT_MILLIS: u64 = 500;
/// A code acknowledges for this long, seconds: a day, after which somebody has looked.
pub const ALERT_CODE_SECONDS: i64 = 24 * 3600;
/// Letters of a typed code that are looked at: the twelve of a code, with room for a mistake.
pub const ALERT_CODE_LETTERS: usize = 24;
/// Who was woken is forgotten after this, seconds: a year and a month, for the yearly report on drills.
pub const ALERT_KEPT_SECONDS: i64 = 400 * 24 * 3600;
/// Most persons in the duty roster: ten desks of a hundred.
pub const CONTACTS: usize = 1_000;
/// Who was on duty when is forgotten after this, seconds: a quarter, after which hours are accounted for elsewhere.
pub const SHIFTS_SECONDS: i64 = 92 * 24 * 3600;
/// Recurring shifts are written out this far ahead, seconds: a year and a month, so that next year's file comes in time.
pub const ROSTER_AHEAD_SECONDS: i64 = 400 * 24 * 3600;
/// Most days of the roster that one screen shows.
pub const ROSTER_DAYS: u32 = 400;
/// Most versions of own capacities that are kept together: 27 states' worth of teams, each changed a hundred times.
pub const CAPACITY_VERSIONS: usize = 20_000;
/// Most offers that draw on one version of a capacity and are looked at: ten a day for a year; then it is said anew.
pub const CAPACITY_OFFERS: usize = 4_000;
/// Most cards that are looked at: 27 states with 70 each.
pub const CARDS: usize = 2_000;
/// Most versions of calls for help among which the open ones are looked for when capacities are matched.
pub const OPEN_CASES: usize = 1_000;
/// The time is kept with a commit if it has moved by this since it was kept, milliseconds: a restart loses no more of it,
/// and a busy node writes one row a second for it.
pub const CLOCK_KEPT_MILLIS: i64 = 1_000;
/// The time is kept this often while nobody writes: one sync a minute.
pub const CLOCK_KEPT_EVERY: Duration = Duration::from_secs(60);
/// A machine's clock that is off by this is shown to people, seconds: what NTP puts right by itself is less.
pub const CLOCK_DOUBT_SECONDS: u64 = 5;
/// Most sealed files that are on their way at once: a person puts in one at a time, and each that is left lying takes
/// disk until it lapses.
pub const DEPOT_OPEN: usize = 16;
/// Disk that sealed files may take, bytes: four of the largest (`model::limits::SEALED_BYTES`).
pub const DEPOT_BYTES: u64 = 400_000_000_000;
/// An upload that no statement names is deleted this long after it began, seconds: 100 GB at 10 Mbit/s take a day.
pub const UPLOAD_SECONDS: i64 = 3 * 24 * 3600;
/// Whoever takes a sealed file out does so within this time, seconds, under one link of its chain of custody: 100 GB at
/// 10 Mbit/s; whoever comes later says it again.
pub const FETCH_SECONDS: i64 = 24 * 3600;
/// The depot is looked through at most this often, seconds: each time all evidence is read.
pub const SWEEP_SECONDS: u64 = 2;
/// The depot is looked through at least this often, seconds: uploads lapse though nothing is said.
pub const SWEEP_LAPSE_SECONDS: u64 = 3_600;
/// Gaps of an upload that are told at once: of more, whoever puts the pieces asks again.
pub const UPLOAD_GAPS: usize = 256;
/// Most versions of dossiers for the Reserve that a node keeps: some crises a year, each filled in and taken on in some
/// dozen steps.
pub const DOSSIER_VERSIONS: usize = 1_000;
