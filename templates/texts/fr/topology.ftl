# Qui va où.
who-goes-where = Qui va où
topology-grouped = Les nœuds sont nombreux : ils sont groupés par pays.
topology-none = Rien à dessiner encore
topology-none-why = Les réseaux, pools et nœuds apparaissent ici dès qu’ils existent.
no-pool = tout nœud
no-country = sans pays
link-live = actif
link-moving = en changement
link-configured = configuré, jamais vu
link-blocked = bloqué
