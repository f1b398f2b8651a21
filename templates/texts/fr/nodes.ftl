nodes-summary = { $count ->
    [one] { $shown } nœud. Les quatre barres : joignable, interface active, synchronisé, trafic en cours.
   *[other] { $shown } nœuds. Les quatre barres : joignable, interface active, synchronisé, trafic en cours.
}
nodes-search = Nom d’un nœud
nodes-none-match = Aucun nœud ne correspond
nodes-none = Pas encore de nœud
nodes-none-why = Un nœud est un serveur qui fait tourner WireGuard et l’agent. Ajoutez-en un : ses pairs apparaîtront ici.
node-no-interface = pas encore d’interface
node-in-sync-at = synchronisé à { $generation }
node-behind = { $count ->
    [one] { $shown } changement en route
   *[other] { $shown } changements en route
}
node-interfaces = { $shown } interfaces
state-online = En ligne
state-disabled = Désactivé
state-pending = En attente
state-offline = Hors ligne
state-error = Erreur
state-refused = Refusé
state-drift = Dérive
state-applying = En cours
state-full = Plein

# Un nœud dans la liste et sur sa page.
node-now = Maintenant
node-not-compared = pas encore comparé
node-last-hour = Dernière heure
node-not-known = inconnu
node-traffic = Trafic
node-traffic-of = Trafic de { $name }
node-traffic-gaps = Du plus récent au plus ancien. Ce que personne n’a mesuré est inconnu, ce qui n’est pas nul.
node-traffic-unknown = Rien n’a été mesuré sur cette période
node-traffic-unknown-why = Chaque minute, le contrôleur note ce qui est passé par un nœud qui répond.
node-traffic-none = rien ces dernières minutes
node-traffic-from-samples = dans les deux sens, selon la dernière mesure
node-range = Période
node-range-1h = 1 h
node-range-24h = 24 h
node-range-7d = 7 j
node-from-moment = À partir de
node-received-by-node = reçu des pairs
node-sent-by-node = envoyé aux pairs
node-as-table = En tableau
node-evidence-reachable = Joignable
node-evidence-up = Interface active
node-evidence-in-sync = Synchronisé
node-evidence-traffic = Trafic en cours
node-clock-ahead = horloge en avance de { $ms } ms
node-clock-behind = horloge en retard de { $ms } ms
node-agent-version = agent { $version }
node-interface-is-up = { $name } est active
node-interface-is-not-up = { $name } n’est pas active
node-interfaces-up = { $up } sur { $all } sont actives
node-machine-up = machine en marche depuis { $span }
node-in-sync-yes = oui, vu
node-in-sync-refused = non, le nœud refuse
node-unasked-peers = { $count ->
    [one] { $shown } pair que personne n’a demandé
   *[other] { $shown } pairs que personne n’a demandés
}
node-has-and-wants = a la génération { $has }, attend { $wants }

# Tester une connexion.
node-test = Tester la connexion
node-test-of = Connexion à { $name }
node-test-again = Tester à nouveau
node-test-intro = Quelques appels signés, qui ne changent rien, disent si le nœud répond, si le secret convient et si l’interface existe.
node-test-well = La connexion est bonne
node-test-not-well = La connexion n’est pas bonne
node-not-tested = Pas encore testé
node-outcome-ok = Bon
node-outcome-failed = Échec
node-outcome-not-asked = Non demandé
node-check-reachable = Joignable :
node-check-agent = Agent :
node-check-signature = Signature :
node-check-clock = Horloge :
node-check-interface = Interface :
node-check-wireguard = WireGuard :

# Formulaires.
node-new-intro = Installez d’abord l’agent sur le serveur, puis dites ici comment le joindre.
node-name-hint = Minuscules, chiffres et tirets, par exemple fra-1
node-agent-url = URL de l’agent
node-agent-url-hint = Par exemple https://fra-1.example.com:8443
node-secret = Secret
node-secret-hint = Ce qui signe les appels à l’agent, au moins 32 caractères. Vide : il en est créé un, montré une seule fois.
node-key-id = Identifiant du secret
node-key-id-hint = Le nom que l’agent lui donne ; vide s’il n’en a qu’un
node-legacy = L’agent est d’une autre origine et ne signe pas ses réponses
node-interface = Interface
node-interface-name = Périphérique
node-endpoint = Point d’accès
node-endpoint-hint = Où les pairs le joignent, par exemple fra-1.example.com:51820
node-network = Réseau
node-no-network = Il n’y a pas encore de réseau.
node-range-v4 = Plage IPv4 propre
node-range-v6 = Plage IPv6 propre
node-range-hint = Une partie du réseau, par exemple 10.8.1.0/24. Les pairs d’ici y prennent leurs adresses.
node-policy = Pairs que personne n’a demandés
node-policy-report = sont signalés
node-policy-adopt = sont adoptés
node-policy-enforce = sont retirés
node-placement = Placement
node-weight-hint = Sa part à côté des autres nœuds ; 0 ne prend plus de nouveaux pairs
node-max-peers = Pairs au plus
node-max-peers-hint = 0 : sans limite
node-region = Région
node-region-hint = Pour regrouper les nœuds, par exemple eu-west
node-country = Pays
node-country-hint = Deux lettres
node-operator-country = Pays de l’exploitant
node-operator-country-hint = Où siège celui qui exploite la machine, en deux lettres
node-timeout = Délai des appels, en ms
node-timeout-hint = Vide : comme pour toute la flotte
node-notes = Notes
node-cancel = Annuler
node-save = Enregistrer
node-back = Revenir au nœud
node-keep = Conserver
node-added = { $name } est ajouté. Il est interrogé pour la première fois.
node-changed = { $name } est modifié.
node-edit = Modifier
node-edit-of = Modifier { $name }
node-edit-intro = Ce qui est dit ici est ce qui doit être ; le nœud est interrogé ainsi dès la prochaine fois.

# Le secret.
node-secret-of = Secret de { $name }
node-secret-intro = Remplacez-le ici quand vous le remplacez sur le serveur. L’ancien est oublié aussitôt, et le nœud ne répond plus tant que les deux côtés n’ont pas le même.
node-secret-replace = Remplacer le secret
node-secret-replaced = Le secret est remplacé. Le nœud est interrogé avec lui.
node-secret-once = Il est montré cette seule fois et ne pourra plus être lu.
node-secret-next = Donnez-le à l’agent sur le serveur. D’ici là, le nœud ne répond pas.
node-secret-kept = Je l’ai conservé
node-copied = Copié
node-copy-secret = Copier le secret
node-copy-key = Copier la clé
node-copy-url = Copier l’URL de l’agent
node-copy-endpoint = Copier le point d’accès

# Activer, désactiver, supprimer.
node-disable = Désactiver
node-enable = Activer
node-disabled = { $name } est désactivé : il n’est ni interrogé ni informé, et garde ses pairs.
node-enabled = { $name } est activé et de nouveau interrogé.
node-delete = Supprimer
node-delete-node = Supprimer { $name }
node-delete-node-asks = Supprimer { $name } ?
node-delete-node-interfaces = { $count ->
    [0] Il n’a pas d’interface.
    [one] { $shown } interface part avec lui, ses réglages et ses constats.
   *[other] { $shown } interfaces partent avec lui, leurs réglages et leurs constats.
}
node-delete-node-machine = Le serveur n’en sait rien : WireGuard et l’agent y continuent tels quels.
node-delete-held-by = { $count ->
    [one] { $shown } pair y vit. Le déplacer ou le supprimer d’abord.
   *[other] { $shown } pairs y vivent. Les déplacer ou les supprimer d’abord.
}
node-its-peers = Afficher ses pairs
node-deleted = { $name } est supprimé.
node-delete-interface = Supprimer { $name }
node-delete-interface-asks = Supprimer { $name } de { $node } ?
node-delete-interface-addresses = Sa plage et ses adresses reposent et seront redonnées plus tard.
node-delete-interface-machine = Le périphérique sur le serveur reste tel quel.
node-interface-deleted = L’interface est supprimée.

# Interfaces.
node-interface-named = Interface { $name }
node-no-interface-why = Ajoutez-en une, et des pairs pourront être placés sur ce nœud.
node-add-interface = Ajouter une interface
node-add-interface-to = Ajouter une interface à { $node }
node-edit-interface = Modifier { $name } de { $node }
node-interface-intro = Le périphérique existe déjà sur le serveur, ou existera : rien n’y est créé.
node-interface-added = { $name } est ajoutée.
node-interface-changed = { $name } est modifiée.
node-public-key = Clé publique
node-own-range = Plage propre
node-whole-network = aucune, tout le réseau
node-addresses = Adresses propres
node-generation = Génération
node-takes-none = ne prend pas de nouveaux pairs
node-no-limit = sans limite
node-key-changed = La clé de { $name } a changé
node-key-changed-why = Les configurations qui nomment l’ancienne clé ne fonctionnent plus. Si personne ne l’a remplacée exprès, cherchez qui l’a fait avant de continuer.
node-key-acknowledge = Prendre acte de la nouvelle clé
node-key-acknowledged = Il est pris acte de la nouvelle clé.
node-refuses = { $name } refuse un changement
node-is-legacy = répond sans signature

# Ce qu’un nœud porte sans qu’on l’ait demandé.
node-drift-on = Dérive sur { $name }
node-drift-peer = Pair que personne n’a demandé
node-drift-peer-unasked = sur le nœud, demandé par personne ici
node-drift-psk = (connue du nœud seul)
node-first-seen = vu d’abord
node-handshake-at = poignée de main { $ago }
node-handshake-never = jamais de poignée de main
node-adopt = Adopter
node-adopt-as = Nom (facultatif)
node-adopt-all = Tout adopter
node-adopted = { $count ->
    [0] Personne n’a été adopté.
    [one] { $shown } pair est adopté et garde tout ce qu’il a.
   *[other] { $shown } pairs sont adoptés et gardent tout ce qu’ils ont.
}
node-adopted-not = { $shown } laissés tels quels, le premier parce que { $why }.
node-remove = Retirer
node-remove-all = Tout retirer
node-remove-asks = { $count ->
    [one] Retirer { $shown } pair ?
   *[other] Retirer { $shown } pairs ?
}
node-remove-from = { $node } les retire de { $interface } aussitôt. Leurs sessions prennent fin, et rien ici ne peut les rétablir.
node-remove-none = Le nœud ne porte plus de tel pair
node-remove-them = { $count ->
    [one] Retirer { $shown } pair
   *[other] Retirer { $shown } pairs
}
node-removed = { $count ->
    [one] { $shown } pair est retiré du nœud.
   *[other] { $shown } pairs sont retirés du nœud.
}

# Pairs et journal d’un nœud.
node-ages = Âge de la dernière poignée de main
node-ages-of = Pairs de { $name } selon l’âge de leur dernière poignée de main
node-ages-count = { $count ->
    [one] { $shown } pair
   *[other] { $shown } pairs
}
node-ages-none = Aucun pair n’y a encore été vu.
node-peers-on = Pairs sur { $name }
node-busiest-first = Les plus actifs d’abord
node-all-peers = Tous les { $shown }
node-no-peers = Pas encore de pairs ici
node-no-peers-why = Les pairs y sont placés selon le poids du nœud, ou à la main.
node-address = Adresse
node-handshake = Poignée de main
node-audit-of = Journal de { $name }

# Plans.
node-plan = Plan
plan-make = Afficher le plan
plan-asks-node = Interroge le nœud et montre ligne par ligne ce qui serait fait.
plan-of = Ce qui serait fait de { $interface } de { $node }
plan-summary = { $added } ajoutés, { $changed } modifiés, { $removed } retirés, { $adopted } adoptés. Qui n’est pas touché garde sa session.
plan-nothing = Rien à faire
plan-nothing-why = Le nœud porte ce qu’il doit.
plan-more = { $count ->
    [one] et { $shown } ligne de plus
   *[other] et { $shown } lignes de plus
}
plan-refused-if-moved = Refusé si le nœud ou l’intention change avant.
plan-apply = Appliquer le plan
plan-applied = Appliqué à la génération { $generation }.
plan-was-applied = Appliqué
plan-held-back = Retirer { $count } pairs sur { $all } bien qu’ils soient si nombreux
plan-why-forbidden = part : supprimé, désactivé ou isolé ici
plan-why-expired = part : son temps est écoulé
plan-why-unknown = part : personne ne l’a demandé
plan-releases = rend des adresses qu’un autre doit avoir
plan-adopts = devient un pair de la flotte tel quel
plan-reports = reste : personne ne l’a demandé, quelqu’un doit décider
plan-blocked = ne peut être écrit tant que { $owner } a { $address }
plan-psk-lost = le nœud a perdu sa clé prépartagée, que lui seul connaissait
plan-unproven = sa clé prépartagée diffère peut-être ; l’écrire est sans danger
node-differs-missing = manque sur le nœud
node-differs-allowed-ips = a d’autres adresses
node-differs-keepalive = a un autre intervalle de maintien
node-differs-psk = a une autre clé prépartagée
node-differs-expiry = expire à un autre moment
node-differs-foreign = l’agent ne le rétablirait pas
