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
waits-for-second = Pas encore envoyé : une seconde personne doit signer (acte { $number }, page « Second signature »).
not-reached-retry = Le nœud ne répond pas : réessayez. Une même commande n’est jamais exécutée deux fois.
may-not-read = Vos rôles ne vous permettent pas de lire ici : adressez-vous à un administrateur.
may-not-speak = Vos rôles ne vous permettent pas de parler pour votre nation : il faut un officier de permanence ou de crise.
screen-situation = Situation
screen-inbox = À traiter
screen-assistance = Assistance
screen-ask = Demander de l’aide
screen-acts = Seconde signature
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
relayed = Relayé : dit par { $who } pour { $partner }, { $way } ; noté par { $by }
relay-way-telephone = par téléphone, et relu
relay-way-link = sur la page de réponse
relay-way-pgp-mail = par courriel signé de sa clé PGP
relay-way-smime-mail = par courriel signé de son certificat
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

# Personnes
desk-csirt = CSIRT
desk-competent-authority = autorité compétente
desk-single-point-of-contact = point de contact unique
desk-crisis-authority = autorité de crise
desk-hub = pôle
desk-coordinator = coordination
role-viewer = lecteur
role-analyst = analyste
role-duty-officer = officier de permanence
role-liaison = liaison
role-crisis-officer = officier de crise
role-administrator = administrateur
role-auditor = auditeur
# Le tableau, la palette et la barre
play-the-others = Prenez leur siège pour continuer.
act-mission-begin = Commencer la mission
screen-capacities = Capacités
capacity-add = Ajouter une capacité
you-can-fill = vous pouvez en couvrir { $count }
fills-count = vous pouvez en couvrir { $count }
screen-roster = Permanence
on-duty-short = De permanence
take-file = Prendre un fichier
drill = Exercice d’appel
hand-over = Passer la main
