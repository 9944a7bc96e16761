# The console in English. Times, ids and labels are never translated, so they are not here.

# The shell
skip = Skip to the content
exercise = Exercise
nothing-real = nothing here is real
navigation = Screens
bar = Search, live state, time
search-or-run = Search or run a command
live-on = Live
live-late = Not live: trying to reach the node
live-stale = Not live: showing { $time } data
live-waits = Live: newer data waits while you are here
in-step = { $count } of { $all } partners in step
not-in-step = not in step
local = local
settings = Settings
keyboard-help = Keyboard
change-seat = Change seats
plain-pages = Plain pages
log-out = Log out
loading = Loading …
not-reached = The node was not reached: what you see may be old. Nothing was sent.
not-reached-retry = The node was not reached: try again. The same command is never done twice.
may-not-read = Your roles do not let you read here: ask an administrator.
may-not-speak = Your roles do not let you speak for your nation: it needs a duty officer or a crisis officer.
screen-situation = Situation
screen-inbox = Inbox
screen-assistance = Assistance
screen-ask = Ask for help
screen-partners = Partners
screen-journal = Journal
close = Close
back = Back
language = Language
theme = Colours
theme-system = As the system
theme-light = Light
theme-dark = Dark
single-keys = Single keys (/, j, k, g, ?) do something
key-palette = Search or run a command
key-filter = Filter this screen
key-move = Next row, row before
key-open = Open the row
key-help = This list
key-switch = Single keys can be switched off in the settings. No key alone sends anything.
command = command
screen = screen
found = Found
nothing-found = Nothing is called that.

# Situation
calm = No nation asks for help.
nations-ask = { $count ->
    [one] nation asks for help.
   *[other] nations ask for help.
  }
no-offer = { $count ->
    [one] call has no offer.
   *[other] calls have no offer.
  }
wait-for-us = { $count ->
    [one] thing waits for us.
   *[other] things wait for us.
  }
clocks-late = { $count ->
    [one] clock is late.
   *[other] clocks are late.
  }
clocks-soon = { $count ->
    [one] clock is due within 6 h.
   *[other] clocks are due within 6 h.
  }
ask-for-help = Ask for help
only = Only { $country }
show-all = Show all
map-title = Who asks, who helps
view = View
map = Map
table = Table
state = State
says = Says
reach = Reach
asks = Asks for help
helps = Helps
no-statement = No statement
speaking = Nations that ask or help
legend = Legend
asks-count = { $count ->
    [one] asks for help
   *[other] asks { $count } times
  }
helps-count = { $count ->
    [one] helps
   *[other] helps { $count } times
  }
reach-here = this node
reach-none = no partner of this node
reach-in-step = node, in step
reach-behind = { $count ->
    [0] behind
    [one] 1 entry behind
   *[other] { $count } entries behind
  }
reach-not-heard = node, not heard
reach-not-heard-since = node, not heard since { $time }
clocks = Clocks
soonest-first = soonest first
whose-clocks = Whose clocks
we-owe = We owe
partners-owe = Partners
no-clock = Nothing is due.
late = late
time-used = Time used for { $number }
more-clocks = { $count } more
duty-reply = Answer the call
duty-countersign = Sign the acceptance
duty-be-on-the-case = Be on the case
duty-accept = Accept before the offer ends
duty-lapses = The call lapses
duty-answers = Answers
duty-on-the-case = Somebody on the case
open-requests = { $count } open
whole-board = Whole board
board = Board
stage-asked = Asked
stage-offers = Offers in
stage-agreed = Agreed
stage-mission = On mission
stage-over = Over
stage-yes = offers
stage-maybe = maybe
stage-accepted = accepted
stage-on-mission = on it
stage-of = { $covered } of { $lines } covered
within = within { $span }
no-offer-yet = No offer yet
offer = Offer
offer-to = Offer help for { $number } to { $country }
choose = Choose
to-sign = Sign
to-go-on = Go on
since-last = Since your last visit, { $time }
since-ever = What was said last
nothing-said = Nothing was said yet.
nothing-new = Nothing new since then.

# Filters
filter = Filter
search = Search
all = All
kind = Kind of help
nation = Nation
whose = Whose
whose-ours = Ours
whose-others = Of others
whose-waits = Waits for us
nothing-fits = Nothing fits these filters.

# Words of the API
state-open = open
state-anticipated = anticipated
state-closed = closed
state-withdrawn = withdrawn
state-lapsed = lapsed
kind-advice = adviser
kind-forensics = forensics
kind-malware-analysis = malware analysis
kind-threat-hunting = threat hunting
kind-containment = containment
kind-recovery = recovery
kind-equipment = equipment
kind-ddos-mitigation = DDoS mitigation
kind-communication = public communication
kind-interpretation = interpretation
mode-remote = remote
mode-on-site = on site
mode-either = remote or on site
basis-csirts-network = NIS2 Art 15(3)
basis-bilateral = Bilateral
basis-art37 = NIS2 Art 37
basis-crrt = CRRT
basis-reserve = EU Reserve
basis-ask-counsel = Basis follows
funding-own = each its own
funding-requester = the one that asks
funding-state-grant = grant between states
funding-reserve = the Reserve
funding-treaty = as the treaty says
payer-provider = they pay
payer-requester = the one that asks pays
payer-to-be-agreed = costs to be agreed
answer-yes = yes
answer-maybe = maybe, call us
answer-no = no
answer-withdrawn = taken back
answer-expired = expired
agreement-proposed = waits for the signature
agreement-in-force = in force
agreement-declined = declined
agreement-lapsed = lapsed
agreement-retracted = taken back
agreement-ended = ended
agreement-terminated = terminated
notice-provider = the provider gives notice
notice-requester = the requester gives notice
phase-ordered = ordered
phase-mobilising = mobilising
phase-travelling = travelling or connecting
phase-on-task = on task
phase-handover = handover
phase-demobilising = demobilising
phase-reporting = reporting
phase-closed = closed
phase-aborted = broken off
lag-in-step = in step
lag-behind = behind
lag-not-heard = not heard
lag-held = held
lag-unknown = not asked yet
lag-no-node = no node
reach-by-node = node
reach-by-misp = MISP
reach-by-mail-pgp = PGP mail
reach-by-mail-smime = S/MIME mail
reach-by-phone = telephone
partner-active = active
partner-held = held
partner-cut = cut
partner-proposed = proposed
partner-awaiting-confirmation = words to compare
standing-speaking = speaks
standing-recovering = is recovering
standing-stopped = has stopped
object-withdrawn = withdrawn
object-erased = erased
type-x-entraide-assistance-request = call for help
type-x-entraide-assistance-offer = answer to a call
type-x-entraide-assistance-agreement = step of an agreement
type-x-entraide-acknowledgement = word that somebody is awake
type-x-entraide-mission = mission
type-x-entraide-audience = audience
type-x-entraide-withdrawal = withdrawal
type-x-entraide-receipt = receipt

# What was said
said-asked = asked for help
said-changed = changed its call
said-closed = closed its call
said-request-withdrawn = withdrew its call
said-yes = offered help
said-maybe = said maybe: call us
said-no = said no
said-withdrawn = took its answer back
said-accepted = accepted the offer
said-signed = signed: in force
said-declined = did not sign
said-retracted = took its acceptance back
said-acknowledged = acknowledged that
said-ended = ended the agreement
said-mission = mission: { $phase }
said-mandate = mandate for helpers
said-helpers = named its helpers
said-awake = somebody is awake
said-note = wrote a message
said-evidence = added evidence
said-custody = said what was done with evidence

# Ask
ask-hint = Four fields are enough. The rest can follow in a new version.
how-many = How many
what-kind = What kind of help
where = Where
place = Place
by-when = By when (UTC)
utc-hint = Write a time in UTC.
whom-to-call = Whom to call
call-hint = Name and number, reached at any hour.
life-at-risk = Life or health is at risk
life-at-risk-short = life at risk
say-more = Say more now
in-one-line = In one line, in English
what-happened = What happened
situation-hint = Name entities by their sector, never by their name.
who-will-see = Who will see it?
draft-kept = What you typed stays in this browser until it was sent.
before-sending = Before it is sent
label = Label
audience = Audience
ticked = Ticked communities
i-have-seen = I have read who will see it, and say it for { $country }
send-request = Send the call for help
sending = Sending …
who-sees = Who will see it
who-sees-count = { $count ->
    [one] 1 nation will see it
   *[other] { $count } nations will see it
  }
who-not-count = { $count ->
    [0] No partner is left out
    [one] 1 partner is left out
   *[other] { $count } partners are left out
  }
who-later = { $count ->
    [one] 1 member is no active partner now: it gets it when it is.
   *[other] { $count } members are no active partners now: they get it when they are.
  }
nobody-else = Nobody else sees it.

# A case
until-somebody = until somebody must be on the case
your-turn = Your turn
not-your-turn = Nothing waits for you here
waits-for-partners = Partners have the word. You are told when they answer.
waits-for-requester = The nation that asks has the word.
needs = What is needed
covered-of = { $covered } of { $lines } covered
count-asked = { $count } asked
count-offered = { $count } offered
count-accepted = { $count } accepted
count-in-force = { $count } in force
count-done = { $count } done
answers = Answers
nobody-answered = Nobody has answered yet.
answers-are-private = Answers go to the nation that asks alone; you see your own here.
stale = the need has changed since
call-them = Call { $call }
recall = may call their people home within { $hours } h
valid-until = good until
agreement = Agreement
mission = Mission
on-task-since = on task since
hours-worked = { $hours } h worked
without-effect = Said without effect
partial = Not everything is here: { $entries } is cited and was not opened to this node.
facts = Facts
answer-by = Answer by
lapses = Lapses
basis = Legal basis
funding = Who pays
done-already = Done already
emergency = signed by one person
what-was-said = What was said
answers-to = answers
proof = proof

# What can be said
act-yes = Yes, we help
act-yes-says = What you offer can be accepted as it stands.
act-yes-send = Send the offer
act-maybe = Maybe, call us
act-maybe-says = You may be able to help: they shall call you.
act-maybe-send = Send the answer
act-no = No
act-no-says = Only the nation that asks sees that you can't help.
act-no-send = Send the answer
act-take-back = Take our answer back
act-take-back-says = What is in force already stays so until both have ended it.
act-take-back-send = Take it back
act-accept = Accept the offer
act-accept-of = Accept { $country }’s offer
act-accept-says = It is in force as soon as they have signed.
act-accept-send = Accept
act-countersign = Sign: it is in force
act-countersign-says = Your signature puts it in force: your people are promised.
act-countersign-send = Sign
act-decline = Do not sign
act-decline-says = What was offered is no longer there.
act-decline-send = Decline
act-acknowledge = Acknowledge that they step back
act-acknowledge-says = Their step back takes effect with this.
act-acknowledge-send = Acknowledge
act-mission = Say how the mission goes
act-mission-says = The nation that asks sees it at once.
act-mission-send = Send the news
act-end = End the agreement
act-end-says = Say whether all that was agreed was done.
act-end-send = End it
act-retract = Take our acceptance back
act-retract-of = Take our acceptance of { $country }’s offer back
act-retract-says = It takes effect when they acknowledge it. If they have signed before, it is notice of termination.
act-retract-send = Take it back
act-close = Close the call for help
act-close-says = Enough help is in force: nobody need offer any more.
act-close-send = Close it
act-withdraw = Withdraw the call for help
act-withdraw-says = It was a mistake, or is asked in another way.
act-withdraw-send = Withdraw it
you-offer = You offer
you-take = You take
still-offered = { $count } still offered
asked-count = { $count } asked
phase = Where it stands
leader = Who leads it: name and number
report = What was done
hours = Hours worked so far
cost = Cost so far, €
fulfilled = Everything that was agreed was done
note = Anything else
terms = What was settled beyond the offer

# Partners
how-we-stand = How we stand
last-heard = Last heard
it-has-not-fetched = Not fetched yet
actions = Actions
incomplete = { $count } statements are missing
partner-do-confirm = Confirm
partner-do-confirm-says = Telephone, and read the six words to each other. Only then confirm.
partner-do-confirm-successor = Confirm the new log
partner-do-confirm-successor-says = Telephone, and read the six words of the new log to each other. Only then confirm.
partner-do-hold = Hold
partner-do-hold-says = Nothing of this partner is taken until it is resumed.
partner-do-resume = Resume
partner-do-resume-says = Its statements are taken again.
partner-do-cut = Cut
partner-do-cut-says = It gets nothing more, and nothing of it is taken.
words-compared = We have read the words to each other over the telephone
reason = Why

# Journal
log-of = The log of
entries-verified = { $count } entries, verified here
log-empty = Nothing stands in this log yet.
entry = Entry
what = What
arrived = Arrived here
commitment = Commitment
not-opened = not opened to you
lost = lost, as its owner says
newest = Newest
older = Older
proof-of = Proof of { $entry }
proof-file = Proof as a file
proof-sealed = Sealed proof, without the content
proof-hint = The file verifies without this node, and without a network.

# Inbox
inbox-empty = Nothing waits for you.
inbox-reply = { $country } asks for help: answer
inbox-accept = { $country } offers help: choose
inbox-countersign = { $country } has accepted: sign
inbox-acknowledge = { $country } steps back: acknowledge
inbox-mission = { $country } waits for news of your mission
inbox-end = The mission for { $country } is over: end the agreement
inbox-partner-held = { $country } is held
inbox-partner-awaiting-confirmation = { $country }: compare the six words
inbox-partner-successor = { $country } has a new log: telephone
inbox-red = { $count ->
    [one] 1 statement for you alone
   *[other] { $count } statements for you alone
  }
inbox-red-says = Opened one at a time, on a page of its own.
inbox-recovery = Our own log { $state }: two persons decide
