# La console en français. Les heures, identifiants et étiquettes ne se traduisent jamais : ils ne sont donc pas ici.

# Le cadre
skip = Aller au contenu
exercise = Exercice
nothing-real = rien ici n’est réel
navigation = Écrans
bar = Recherche, état du direct, heure
search-or-run = Chercher ou lancer une commande
live-on = En direct
live-late = Pas en direct : le nœud est recherché
live-stale = Pas en direct : données de { $time }
live-waits = En direct : du nouveau attend tant que vous êtes ici
in-step = { $count } partenaires sur { $all } à jour
not-in-step = pas à jour
local = heure locale
settings = Réglages
keyboard-help = Clavier
change-seat = Changer de siège
plain-pages = Pages simples
log-out = Se déconnecter
loading = Chargement …
not-reached = Le nœud ne répond pas : ce que vous voyez peut être ancien. Rien n’a été envoyé.
not-reached-retry = Le nœud ne répond pas : réessayez. Une même commande n’est jamais exécutée deux fois.
may-not-read = Vos rôles ne vous permettent pas de lire ici : adressez-vous à un administrateur.
may-not-speak = Vos rôles ne vous permettent pas de parler pour votre nation : il faut un officier de permanence ou de crise.
screen-situation = Situation
screen-inbox = À traiter
screen-assistance = Assistance
screen-ask = Demander de l’aide
screen-partners = Partenaires
screen-journal = Journal
close = Fermer
back = Retour
language = Langue
theme = Couleurs
theme-system = Comme le système
theme-light = Clair
theme-dark = Sombre
single-keys = Les touches seules (/, j, k, g, ?) agissent
key-palette = Chercher ou lancer une commande
key-filter = Filtrer cet écran
key-move = Ligne suivante, ligne précédente
key-open = Ouvrir la ligne
key-help = Cette liste
key-switch = Les touches seules se désactivent dans les réglages. Aucune touche seule n’envoie quoi que ce soit.
command = commande
screen = écran
found = Trouvé
nothing-found = Rien ne porte ce nom.

# Situation
calm = Aucune nation ne demande d’aide.
nations-ask = { $count ->
    [one] nation demande de l’aide.
   *[other] nations demandent de l’aide.
  }
no-offer = { $count ->
    [one] appel est sans offre.
   *[other] appels sont sans offre.
  }
wait-for-us = { $count ->
    [one] point nous attend.
   *[other] points nous attendent.
  }
clocks-late = { $count ->
    [one] échéance est dépassée.
   *[other] échéances sont dépassées.
  }
clocks-soon = { $count ->
    [one] échéance tombe sous 6 h.
   *[other] échéances tombent sous 6 h.
  }
ask-for-help = Demander de l’aide
only = Seulement { $country }
show-all = Tout afficher
map-title = Qui demande, qui aide
view = Vue
map = Carte
table = Tableau
state = État
says = Déclare
reach = Liaison
asks = Demande de l’aide
helps = Aide
no-statement = Pas de déclaration
speaking = Nations qui demandent ou qui aident
legend = Légende
asks-count = { $count ->
    [one] demande de l’aide
   *[other] demande { $count } fois
  }
helps-count = { $count ->
    [one] aide
   *[other] aide { $count } fois
  }
reach-here = ce nœud
reach-none = pas partenaire de ce nœud
reach-in-step = nœud, à jour
reach-behind = { $count ->
    [0] en retard
    [one] 1 entrée de retard
   *[other] { $count } entrées de retard
  }
reach-not-heard = nœud, sans nouvelles
reach-not-heard-since = nœud, sans nouvelles depuis { $time }
clocks = Échéances
soonest-first = la plus proche d’abord
whose-clocks = Échéances de qui
we-owe = Nous devons
partners-owe = Partenaires
no-clock = Rien n’est dû.
late = en retard
time-used = Temps écoulé pour { $number }
more-clocks = { $count } de plus
duty-reply = Répondre à l’appel
duty-countersign = Signer l’acceptation
duty-be-on-the-case = Être sur place ou connecté
duty-accept = Accepter avant la fin de l’offre
duty-lapses = L’appel devient caduc
duty-answers = Réponses
duty-on-the-case = Quelqu’un à l’œuvre
open-requests = { $count } en cours
whole-board = Tableau complet
board = Tableau
stage-asked = Demandé
stage-offers = Offres reçues
stage-agreed = Convenu
stage-mission = En mission
stage-over = Terminé
stage-yes = offre
stage-maybe = peut-être
stage-accepted = accepté
stage-on-mission = à l’œuvre
stage-of = { $covered } sur { $lines } couverts
within = sous { $span }
no-offer-yet = Pas encore d’offre
offer = Offrir
offer-to = Offrir de l’aide pour { $number } : { $country }
choose = Choisir
to-sign = Signer
to-go-on = Poursuivre
since-last = Depuis votre dernière visite, { $time }
since-ever = Dernières déclarations
nothing-said = Rien n’a encore été déclaré.
nothing-new = Rien de nouveau depuis.

# Filtres
filter = Filtrer
search = Chercher
all = Tout
kind = Type d’aide
nation = Nation
whose = De qui
whose-ours = Les nôtres
whose-others = Des autres
whose-waits = Nous attend
nothing-fits = Rien ne correspond à ces filtres.

# Mots de l’API
state-open = en cours
state-anticipated = anticipé
state-closed = clos
state-withdrawn = retiré
state-lapsed = caduc
kind-advice = conseiller
kind-forensics = investigation numérique
kind-malware-analysis = analyse de code malveillant
kind-threat-hunting = recherche de l’attaquant
kind-containment = endiguement
kind-recovery = reconstruction
kind-equipment = matériel
kind-ddos-mitigation = défense contre un DDoS
kind-communication = communication publique
kind-interpretation = interprétation
mode-remote = à distance
mode-on-site = sur place
mode-either = à distance ou sur place
basis-csirts-network = NIS2 art. 15(3)
basis-bilateral = Bilatéral
basis-art37 = NIS2 art. 37
basis-crrt = CRRT
basis-reserve = Réserve de l’UE
basis-ask-counsel = Base à préciser
funding-own = chacun pour soi
funding-requester = celui qui demande
funding-state-grant = subvention entre États
funding-reserve = la Réserve
funding-treaty = selon le traité
payer-provider = à leurs frais
payer-requester = aux frais du demandeur
payer-to-be-agreed = coûts à convenir
answer-yes = oui
answer-maybe = peut-être, appelez-nous
answer-no = non
answer-withdrawn = repris
answer-expired = expiré
agreement-proposed = attend la signature
agreement-in-force = en vigueur
agreement-declined = refusé
agreement-lapsed = caduc
agreement-retracted = repris
agreement-ended = terminé
agreement-terminated = résilié
notice-provider = le fournisseur donne congé
notice-requester = le demandeur donne congé
phase-ordered = ordonnée
phase-mobilising = mobilisation
phase-travelling = en route ou en connexion
phase-on-task = à l’œuvre
phase-handover = remise
phase-demobilising = démobilisation
phase-reporting = rapport
phase-closed = close
phase-aborted = interrompue
lag-in-step = à jour
lag-behind = en retard
lag-not-heard = sans nouvelles
lag-held = suspendu
lag-unknown = pas encore interrogé
lag-no-node = sans nœud
reach-by-node = nœud
reach-by-misp = MISP
reach-by-mail-pgp = courriel PGP
reach-by-mail-smime = courriel S/MIME
reach-by-phone = téléphone
partner-active = actif
partner-held = suspendu
partner-cut = coupé
partner-proposed = proposé
partner-awaiting-confirmation = mots à comparer
standing-speaking = parle
standing-recovering = se rétablit
standing-stopped = s’est arrêté
object-withdrawn = retiré
object-erased = effacé
type-x-entraide-assistance-request = appel à l’aide
type-x-entraide-assistance-offer = réponse à un appel
type-x-entraide-assistance-agreement = étape d’un accord
type-x-entraide-acknowledgement = annonce que quelqu’un est éveillé
type-x-entraide-mission = mission
type-x-entraide-audience = cercle de destinataires
type-x-entraide-withdrawal = retrait
type-x-entraide-receipt = accusé de réception

# Ce qui a été dit
said-asked = a demandé de l’aide
said-changed = a modifié son appel
said-closed = a clos son appel
said-request-withdrawn = a retiré son appel
said-yes = a offert de l’aide
said-maybe = a dit peut-être : appelez-nous
said-no = a dit non
said-withdrawn = a repris sa réponse
said-accepted = a accepté l’offre
said-signed = a signé : en vigueur
said-declined = n’a pas signé
said-retracted = a repris son acceptation
said-acknowledged = en a pris acte
said-ended = a mis fin à l’accord
said-mission = mission : { $phase }
said-mandate = mandat pour les experts
said-helpers = a nommé ses experts
said-awake = quelqu’un est éveillé
said-note = a écrit un message
said-evidence = a ajouté une preuve
said-custody = a dit ce qui a été fait d’une preuve

# Demander
ask-hint = Quatre champs suffisent. Le reste peut suivre dans une nouvelle version.
how-many = Combien
what-kind = Quel type d’aide
where = Où
place = Lieu
by-when = Pour quand (UTC)
utc-hint = Écrivez une heure en UTC.
whom-to-call = Qui appeler
call-hint = Nom et numéro, joignable à toute heure.
life-at-risk = La vie ou la santé est en danger
life-at-risk-short = vie en danger
say-more = En dire plus maintenant
in-one-line = En une ligne, en anglais
what-happened = Ce qui s’est passé
situation-hint = Désignez les entités par leur secteur, jamais par leur nom.
who-will-see = Qui le verra ?
draft-kept = Votre saisie reste dans ce navigateur jusqu’à l’envoi.
before-sending = Avant l’envoi
label = Étiquette
audience = Destinataires
ticked = Communautés cochées
i-have-seen = J’ai lu qui le verra, et je le dis pour { $country }
send-request = Envoyer l’appel à l’aide
sending = Envoi …
who-sees = Qui le verra
who-sees-count = { $count ->
    [one] 1 nation le verra
   *[other] { $count } nations le verront
  }
who-not-count = { $count ->
    [0] Aucun partenaire n’est laissé de côté
    [one] 1 partenaire est laissé de côté
   *[other] { $count } partenaires sont laissés de côté
  }
who-later = { $count ->
    [one] 1 membre n’est pas partenaire actif : il le recevra quand il le sera.
   *[other] { $count } membres ne sont pas partenaires actifs : ils le recevront quand ils le seront.
  }
nobody-else = Personne d’autre ne le voit.

# Un cas
until-somebody = avant que quelqu’un doive être à l’œuvre
your-turn = À vous
not-your-turn = Rien ne vous attend ici
waits-for-partners = La parole est aux partenaires. Vous serez averti de leurs réponses.
waits-for-requester = La parole est à la nation qui demande.
needs = Les besoins
covered-of = { $covered } sur { $lines } couverts
count-asked = { $count } demandés
count-offered = { $count } offerts
count-accepted = { $count } acceptés
count-in-force = { $count } en vigueur
count-done = { $count } accomplis
answers = Réponses
nobody-answered = Personne n’a encore répondu.
answers-are-private = Les réponses vont à la seule nation qui demande ; vous voyez ici la vôtre.
stale = le besoin a changé depuis
call-them = Appeler { $call }
recall = peuvent rappeler leurs équipes sous { $hours } h
valid-until = valable jusqu’au
agreement = Accord
mission = Mission
on-task-since = à l’œuvre depuis
hours-worked = { $hours } h de travail
without-effect = Dit sans effet
partial = Tout n’est pas ici : { $entries } est cité et n’a pas été ouvert à ce nœud.
facts = Faits
answer-by = Répondre avant
lapses = Caduc le
basis = Base juridique
funding = Qui paie
done-already = Déjà fait
emergency = signé par une seule personne
what-was-said = Ce qui a été dit
answers-to = répond à
proof = preuve

# Ce qui peut se dire
act-yes = Oui, nous aidons
act-yes-says = Ce que vous offrez peut être accepté tel quel.
act-yes-send = Envoyer l’offre
act-maybe = Peut-être, appelez-nous
act-maybe-says = Vous pourriez aider : on doit vous appeler.
act-maybe-send = Envoyer la réponse
act-no = Non
act-no-says = Seule la nation qui demande voit que vous ne pouvez pas aider.
act-no-send = Envoyer la réponse
act-take-back = Reprendre notre réponse
act-take-back-says = Ce qui est déjà en vigueur le reste jusqu’à ce que les deux y mettent fin.
act-take-back-send = La reprendre
act-accept = Accepter l’offre
act-accept-of = Accepter l’offre : { $country }
act-accept-says = Elle est en vigueur dès leur signature.
act-accept-send = Accepter
act-countersign = Signer : en vigueur
act-countersign-says = Votre signature la met en vigueur : vos équipes sont promises.
act-countersign-send = Signer
act-decline = Ne pas signer
act-decline-says = Ce qui était offert n’est plus disponible.
act-decline-send = Refuser
act-acknowledge = Prendre acte de leur recul
act-acknowledge-says = Leur recul prend effet par cet acte.
act-acknowledge-send = Prendre acte
act-mission = Donner des nouvelles de la mission
act-mission-says = La nation qui demande les voit aussitôt.
act-mission-send = Envoyer les nouvelles
act-end = Mettre fin à l’accord
act-end-says = Dites si tout ce qui était convenu a été fait.
act-end-send = Y mettre fin
act-retract = Reprendre notre acceptation
act-retract-of = Reprendre notre acceptation : { $country }
act-retract-says = Effectif quand ils en prennent acte. S’ils ont signé avant, c’est une résiliation.
act-retract-send = La reprendre
act-close = Clore l’appel à l’aide
act-close-says = Assez d’aide est en vigueur : plus personne n’a besoin d’offrir.
act-close-send = Le clore
act-withdraw = Retirer l’appel à l’aide
act-withdraw-says = C’était une erreur, ou l’aide est demandée autrement.
act-withdraw-send = Le retirer
you-offer = Vous offrez
you-take = Vous prenez
still-offered = { $count } encore offerts
asked-count = { $count } demandés
phase = Où elle en est
leader = Qui la dirige : nom et numéro
report = Ce qui a été fait
hours = Heures de travail jusqu’ici
cost = Coût jusqu’ici, €
fulfilled = Tout ce qui était convenu a été fait
note = Autre chose
terms = Ce qui a été réglé au-delà de l’offre

# Partenaires
how-we-stand = Où nous en sommes
last-heard = Dernières nouvelles
it-has-not-fetched = Pas encore pris
actions = Actions
incomplete = { $count } déclarations manquent
partner-do-confirm = Confirmer
partner-do-confirm-says = Téléphonez, et lisez-vous les six mots. Confirmez seulement ensuite.
partner-do-confirm-successor = Confirmer le nouveau journal
partner-do-confirm-successor-says = Téléphonez, et lisez-vous les six mots du nouveau journal. Confirmez seulement ensuite.
partner-do-hold = Suspendre
partner-do-hold-says = Rien de ce partenaire n’est pris jusqu’à sa reprise.
partner-do-resume = Reprendre
partner-do-resume-says = Ses déclarations sont de nouveau prises.
partner-do-cut = Couper
partner-do-cut-says = Il ne reçoit plus rien, et rien de lui n’est pris.
words-compared = Nous nous sommes lu les mots au téléphone
reason = Pourquoi

# Journal
log-of = Le journal de
entries-verified = { $count } entrées, vérifiées ici
log-empty = Rien ne figure encore dans ce journal.
entry = Entrée
what = Quoi
arrived = Arrivé ici
commitment = Engagement
not-opened = ne vous a pas été ouvert
lost = perdu, selon son auteur
newest = Plus récent
older = Plus ancien
proof-of = Preuve de { $entry }
proof-file = Preuve en fichier
proof-sealed = Preuve scellée, sans le contenu
proof-hint = Le fichier se vérifie sans ce nœud et sans réseau.

# À traiter
inbox-empty = Rien ne vous attend.
inbox-reply = { $country } demande de l’aide : répondez
inbox-accept = { $country } offre de l’aide : choisissez
inbox-countersign = { $country } a accepté : signez
inbox-acknowledge = { $country } se retire : prenez-en acte
inbox-mission = { $country } attend des nouvelles de votre mission
inbox-end = La mission pour { $country } est finie : mettez fin à l’accord
inbox-partner-held = { $country } est suspendu
inbox-partner-awaiting-confirmation = { $country } : comparez les six mots
inbox-partner-successor = { $country } a un nouveau journal : téléphonez
inbox-red = { $count ->
    [one] 1 déclaration pour vous seul
   *[other] { $count } déclarations pour vous seul
  }
inbox-red-says = Ouvertes une à une, sur une page à part.
inbox-recovery = Notre propre journal { $state } : deux personnes décident
