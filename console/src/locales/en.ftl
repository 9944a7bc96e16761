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
waits-for-second = Not sent yet: it waits for a second person (act { $number }, on the page “Second signature”).
not-reached-retry = The node was not reached: try again. The same command is never done twice.
may-not-read = Your roles do not let you read here: ask an administrator.
may-not-speak = Your roles do not let you speak for your nation: it needs a duty officer or a crisis officer.
screen-situation = Situation
screen-inbox = Inbox
screen-assistance = Assistance
screen-ask = Ask for help
screen-acts = Second signature
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
relayed = Relayed: { $who } said so for { $partner }, { $way }; taken down by { $by }
relay-way-telephone = by telephone, and it was read back
relay-way-link = on the answer page
relay-way-pgp-mail = by mail that its PGP key signed
relay-way-smime-mail = by mail that its certificate signed
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

# People
desk-csirt = CSIRT
desk-competent-authority = competent authority
desk-single-point-of-contact = single point of contact
desk-crisis-authority = crisis authority
desk-hub = hub
desk-coordinator = coordinator
role-viewer = viewer
role-analyst = analyst
role-duty-officer = duty officer
role-liaison = liaison
role-crisis-officer = crisis officer
role-administrator = administrator
role-auditor = auditor
# The board, the palette and the bar
play-the-others = Take their seat to go on.
act-mission-begin = Begin the mission
screen-capacities = Capacities
capacity-add = Add a capacity
you-can-fill = you can fill { $count } of them
fills-count = you can fill { $count }
screen-roster = On duty
on-duty-short = On duty
take-file = Take in a file
drill = Drill
hand-over = Hand over
