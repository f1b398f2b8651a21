overview-calm = Rien ne demande une personne.
overview-needs = { $count ->
    [one] { $shown } chose demande une personne.
   *[other] { $shown } choses demandent une personne.
}
nodes-online = Nœuds en ligne
offline = hors ligne
in-error = en erreur
pending = nouveaux
isolated = isolés
changes-waiting = Changements en route
interfaces-behind = interfaces en retard sur la demande
needs-a-person = Demande une personne
look = Voir
changed-lately = Changements récents
hash-title = empreinte de cette ligne dans la chaîne d’audit
level-critical = Critique
level-degraded = Dégradé
level-ok = Bien
peers-online-now = Pairs en ligne
peers-online-why = poignée de main dans les 3 min
throughput-now = Débit actuel
throughput-day = Débit, 24 h
throughput-unknown = pas mesuré récemment
throughput-none = Rien de mesuré encore
throughput-none-why = Ce que les nœuds transportent est noté chaque minute.
received = reçus
sent = envoyés
received-from-peers = reçus des pairs
sent-to-peers = envoyés aux pairs
hour = Heure
handshake-ages = Âge de la dernière poignée de main
handshake-ages-why = un tunnel silencieux est au repos, pas en panne
ages-none = Encore aucun pair sur un nœud
pools-by-fill = Pools par remplissage
pools-all = Tous les pools
limited-why = Votre rôle porte sur un seul pool ou un seul réseau.
limited-gone = Ce à quoi votre rôle était limité n’existe plus : demander à un administrateur.
