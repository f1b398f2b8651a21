# La recherche et la palette.
search = Chercher
search-why = Commandes, nœuds, pairs, réseaux et pools.
go-to = Aller à
nothing-found = Rien ne porte ce nom.
