# Les pools et le placement.
pools-summary = Des ensembles de nœuds : un pair qui en nomme un vit sur ses membres.
pools-none = Pas encore de pool
pools-none-why = Un pool est un ensemble de nœuds. Les pairs qui le nomment vivent sur l’un d’eux, ou sur tous.
pool-load = Pairs sur places, sur ses nœuds
pool-dead = Aucun nœud en ligne
placement = Placement
placement-one = Sur un membre
placement-all = Sur tous les membres
placement-one-long = Un pair vit sur un membre, choisi par le poids
placement-all-long = Un pair vit sur chaque membre
named-by-peers = Pairs qui le nomment
members = Membres
members-why = les nouveaux pairs vont selon le poids
members-none = Pas encore de membre
members-none-why = Un pool sans membre ne place personne.
share-by-weight = Part, selon le poids
member-add = Ajouter le nœud
member-added = Le nœud est membre.
member-remove = Retirer
member-removed = Le nœud n’est plus membre.
member-take-out = Retirer { $node } de { $pool }
member-leaves-one = Ses pairs restent où ils sont. Les nouveaux pairs de ce pool vont sur d’autres membres.
member-leaves-all = { $count ->
    [one] { $shown } pair de ce pool quitte le nœud tout de suite et reste sur les autres membres.
   *[other] { $shown } pairs de ce pool quittent le nœud tout de suite et restent sur les autres membres.
}
pool-peers = { $count ->
    [one] { $shown } pair nomme ce pool
   *[other] { $shown } pairs nomment ce pool
}
pool-name-hint = Une étiquette DNS, comme nord
pool-made = Le pool { $name } est là.
pool-changed = Le pool { $name } est modifié.
pool-deleted = Le pool { $name } est supprimé.
save-pool = Enregistrer le pool
delete-pool = Supprimer le pool
pool-delete-why = Aucun pair ne le nomme. Ses nœuds restent tels quels.
pool-in-use = { $count ->
    [one] { $shown } pair le nomme : seul un pool que personne ne nomme est supprimé.
   *[other] { $shown } pairs le nomment : seul un pool que personne ne nomme est supprimé.
}
pool-placement-stays = Son placement ne change pas tant que des pairs le nomment.
preview = Où iraient les 100 prochains pairs
preview-network = Pairs du réseau
preview-none = Aucun ne trouve de place.
preview-all = { $count ->
    [one] { $shown } trouve une place. Regarder ne place rien.
   *[other] Les { $shown } trouvent une place. Regarder ne place rien.
}
preview-some = { $count ->
    [one] Seul { $shown } trouve une place, puis personne n’en prend plus.
   *[other] Seuls { $shown } trouvent une place, puis personne n’en prend plus.
}
preview-gets = Sur les 100 prochains
preview-takes = le moins de pairs par poids
preview-standing = { $peers } pairs maintenant, poids { $weight }
reason-tied = aussi chargé, et derrière dans l’ordre
reason-loaded = plus de pairs par poids
reason-same-node = une autre interface de son nœud les a
reason-full = plein
reason-drained = poids 0
reason-unreachable = injoignable
reason-disabled = désactivé
reason-not-in-pool = hors du pool
