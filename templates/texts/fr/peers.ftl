peers-summary = { $count ->
    [one] { $shown } pair. En ligne : une poignée de main dans les 3 dernières min.
   *[other] { $shown } pairs. En ligne : une poignée de main dans les 3 dernières min.
}
peers-summary-rough = { $count ->
    [one] Environ { $shown } pair. En ligne : une poignée de main dans les 3 dernières min.
   *[other] Environ { $shown } pairs. En ligne : une poignée de main dans les 3 dernières min.
}
peers-search = Nom, clé, adresse, propriétaire, étiquette
peers-any-node = Tous les nœuds
peers-online = En ligne
peers-waiting = En attente de leurs nœuds
peers-disabled = Désactivés
peers-expired = Expirés
peers-isolated = Isolés
peers-none-match = Aucun pair ne correspond
peers-none = Pas encore de pair
peers-none-why = Un pair est un appareil ou un site qu’un nœud laisse entrer. Créez-en un : il apparaîtra ici avec ses constats.
peers-select-page = Sélectionner cette page
peers-select = Sélectionner { $name }
peers-selected = sélectionnés
peers-selected-acts = Actions sur les pairs sélectionnés
peers-all-that-match = Tous ceux qui correspondent
peers-page = 50 par page,
density-compact = Lignes plus serrées
density-comfortable = Lignes plus aérées
peers-tag = Étiquette
peers-order = Ordre
peers-order-made = les plus anciens d’abord
peers-order-newest = les plus récents d’abord
peers-order-name = par nom
peers-order-name-down = par nom, de Z à A
peers-first-page = Première page
peers-import = Importer des pairs
peers-import-what = Du JSON comme l’API le prend, ou un tableau dont la première ligne nomme les mêmes champs. 10 000 lignes au plus ; toutes sont créées, ou aucune.
peers-import-wrong = { $count ->
    [one] { $shown } ligne est fausse
   *[other] { $shown } lignes sont fausses
}
peers-import-none = Rien n’a été créé. Corrigez les lignes ci-dessous et importez de nouveau.
peers-import-row = Ligne
peers-import-mistake = Ce qui ne va pas
peers-import-file = Fichier
peers-import-rows = Lignes
peers-import-hint = network, name et public_key sont requis ; pool, node, tags, routes, address_v4, expires_at et d’autres sont possibles.
peers-import-act = Importer les pairs de ces lignes
peers-import-no-key = n’a pas de public_key : une clé privée créée ici ne pourrait être montrée que sur sa propre page
peers-imported = { $count ->
    [one] { $shown } pair créé
   *[other] { $shown } pairs créés
}
peer-key = Clé
peer-address = Adresse
peer-node = Nœud
peer-owner = Propriétaire
peer-in-out = Reçu / envoyé
peer-handshake = poignée de main
peer-no-handshake = pas encore de poignée de main
peer-isolated = Isolé
peer-disabled = Désactivé
peer-expired = Expiré
peer-refused = Refusé
peer-waiting = En attente
peer-cancel = Annuler
peer-keep = Conserver
peer-copy = Copier
peer-copied = Copié
peer-download = Télécharger
bulk-enable = Activer
bulk-disable = Désactiver
bulk-delete = Supprimer
bulk-tag = Étiqueter
bulk-untag = Retirer une étiquette
bulk-csv = Exporter en CSV
bulk-ndjson = Exporter en NDJSON
bulk-nothing = Aucun pair n’est sélectionné
bulk-enable-ask = { $count ->
    [one] Activer { $shown } pair ?
   *[other] Activer { $shown } pairs ?
}
bulk-disable-ask = { $count ->
    [one] Désactiver { $shown } pair ?
   *[other] Désactiver { $shown } pairs ?
}
bulk-delete-ask = { $count ->
    [one] Supprimer { $shown } pair ?
   *[other] Supprimer { $shown } pairs ?
}
bulk-tag-ask = { $count ->
    [one] Étiqueter { $shown } pair
   *[other] Étiqueter { $shown } pairs
}
bulk-untag-ask = { $count ->
    [one] Retirer une étiquette à { $shown } pair
   *[other] Retirer une étiquette à { $shown } pairs
}
bulk-enable-button = { $count ->
    [one] Activer { $shown } pair
   *[other] Activer { $shown } pairs
}
bulk-disable-button = { $count ->
    [one] Désactiver { $shown } pair
   *[other] Désactiver { $shown } pairs
}
bulk-delete-button = { $count ->
    [one] Supprimer { $shown } pair
   *[other] Supprimer { $shown } pairs
}
bulk-tag-button = { $count ->
    [one] Étiqueter { $shown } pair
   *[other] Étiqueter { $shown } pairs
}
bulk-untag-button = { $count ->
    [one] Retirer à { $shown } pair
   *[other] Retirer à { $shown } pairs
}
bulk-move = Déplacer
bulk-move-ask = { $count ->
    [one] Déplacer { $shown } pair ?
   *[other] Déplacer { $shown } pairs ?
}
bulk-move-button = { $count ->
    [one] Déplacer { $shown } pair
   *[other] Déplacer { $shown } pairs
}
bulk-move-go = { $count ->
    [one] { $shown } pair va sur un autre nœud :
   *[other] { $shown } pairs vont sur d’autres nœuds :
}
bulk-move-to = { $peers } vers { $node }
bulk-move-configs = Leurs configurations changent, et chacun est hors de portée tant que son appareil n’a pas la nouvelle.
bulk-move-stay = { $count ->
    [one] { $shown } pair reste sur son nœud ; seul son pool change.
   *[other] { $shown } pairs restent sur leurs nœuds ; seul leur pool change.
}
bulk-move-already = { $count ->
    [one] { $shown } pair y est déjà et n’est pas touché.
   *[other] { $shown } pairs y sont déjà et ne sont pas touchés.
}
bulk-move-cannot = { $count ->
    [one] { $shown } pair ne peut pas y aller et reste où il est.
   *[other] { $shown } pairs ne peuvent pas y aller et restent où ils sont.
}
bulk-moved = { $changed } pairs sur { $asked } déplacés ; les autres y étaient déjà, ne peuvent pas y aller ou n’existent plus
bulk-all-what = Tous les pairs qui correspondent au filtre à présent. Ils sont cherchés de nouveau à la confirmation.
bulk-ticked-what = Les pairs que vous avez sélectionnés.
bulk-consequence = Conséquence
bulk-lose-session = { $count ->
    [one] { $shown } pair a une session à présent et la perd en quelques secondes.
   *[other] { $shown } pairs ont une session à présent et la perdent en quelques secondes.
}
bulk-nodes-told = { $count ->
    [one] { $shown } nœud est prévenu.
   *[other] { $shown } nœuds sont prévenus.
}
bulk-routes-lost = { $count ->
    [one] { $shown } réseau derrière eux n’est plus joignable.
   *[other] { $shown } réseaux derrière eux ne sont plus joignables.
}
bulk-too-many = { $count ->
    [one] Plus de { $shown } pair : restreignez d’abord le filtre.
   *[other] Plus de { $shown } pairs : restreignez d’abord le filtre.
}
bulk-moved-on = Le nombre de pairs a changé entre-temps. Rien n’a été fait : vérifiez et confirmez de nouveau.
bulk-tag-name = Étiquette
bulk-tag-hint = De 1 à 64 caractères, sans virgule.
bulk-confirm = Saisissez { $shown } pour confirmer
bulk-confirm-wrong = n’est pas { $shown } : rien n’a été fait
bulk-done = { $changed } pairs sur { $asked } modifiés ; les autres l’étaient déjà ou n’existent plus
bulk-standing = { $done } sur { $asked } traités
bulk-progress-what = La suite se fait d’elle-même. Arrêter laisse le reste tel quel.
bulk-go-on = Continuer
bulk-stop = Arrêter ici
peer-new-what = Un appareil ou un site qui peut entrer. Son adresse et son nœud sont choisis, sauf si vous les indiquez.
peer-needs-network = Un pair a besoin d’un réseau
peer-name-hint = Lettres, chiffres et tirets, comme dans un nom d’hôte.
peer-network = Réseau
peer-node-chosen = Le mieux placé
peer-key-browser = Créée dans ce navigateur ; personne d’autre ne l’a jamais
peer-key-browser-cannot = Ce navigateur ne peut pas créer de clés X25519 ici : il faut HTTPS et une version récente.
peer-key-pasted = L’appareil en a une ; sa clé publique est ci-dessous
peer-key-controller = Créée par le contrôleur et montrée une seule fois
peer-public-key = Clé publique
peer-public-key-hint = 44 caractères en base64, seulement si l’appareil a la sienne.
peer-key-missing = manque : collez la clé publique, ou choisissez un autre moyen
peer-mode = Ce qui passe par le tunnel
peer-mode-split = Le réseau
peer-mode-full = Tout
peer-mode-node-only = Les nœuds seuls
peer-owner-hint = Nom d’un utilisateur ; peut rester vide.
peer-no-such-owner = n’est pas le nom d’un utilisateur
peer-tags = Étiquettes
peer-tags-hint = Séparées par des virgules.
peer-expires = Expire
peer-expiry-past = est passée
peer-not-a-time = n’est pas une date et une heure
peer-more = Plus
peer-address-v4 = Adresse IPv4
peer-address-v6 = Adresse IPv6
peer-address-hint = La prochaine libre si vide.
peer-keepalive = Maintien actif
peer-keepalive-hint = Secondes ; 0 : désactivé ; comme le réseau si vide.
peer-not-seconds = n’est pas entre 0 et 65535
peer-notes = Notes
peer-create = Créer le pair
peer-made = { $name } a été créé
peer-config = Configuration
peer-config-what = Ce qu’il faut à son appareil pour se connecter.
peer-config-text = Texte de la configuration
peer-shown-once = La clé privée ci-dessous est montrée cette seule fois et n’est gardée nulle part. Copiez-la, téléchargez-la ou scannez-la maintenant.
peer-config-hands-out = l’afficher, c’est la remettre, clés prépartagées comprises
peer-go-to = Aller au pair
peer-key-once = La clé privée a été créée par le contrôleur pour cette page ; elle n’est nulle part dans wgfleet.
peer-key-unknown = Seul l’appareil connaît la clé privée : mettez-la à sa ligne.
peer-key-in-browser = La clé privée a été créée dans ce navigateur, figure dans le texte ci-dessus et n’a jamais été envoyée. Quitter cette page l’oublie.
peer-key-alone = Le pair est créé. Voici sa clé privée, montrée cette seule fois ; sa configuration pourra être obtenue plus tard, sans elle :
peer-scan = Scanner
peer-scan-whole = avec la clé privée
peer-scan-without = sans la clé privée
peer-scan-how = Dans l’application WireGuard : ajouter un tunnel, scanner un code QR.
peer-scan-label = Code QR de cette configuration
peer-scan-too-long = Le texte est trop long pour un code QR : copiez-le ou téléchargez-le.
peer-scan-undrawn = Avec la clé privée, aucune image n’a pu être dessinée ici : copiez ou téléchargez le texte.
peer-in-network = dans le réseau
peer-since = depuis
peer-edit = Modifier
peer-enable = Activer
peer-disable = Désactiver
peer-isolate = Isoler
peer-release = Libérer
peer-delete = Supprimer le pair
peer-move = Déplacer
peer-move-ask = Déplacer { $name }
peer-move-means = Il garde ses adresses, sa clé et ses étiquettes. Sur un autre nœud, sa configuration change, surtout le point d’accès et la clé du serveur, et son appareil est hors de portée tant qu’il n’a pas la nouvelle.
peer-move-same-pool = Le même qu’à présent
peer-move-no-pool = Aucun pool : tout nœud de son réseau
peer-move-look = Voir ce que cela implique
peer-move-already = Il y est déjà ; rien ne changerait.
peer-move-stays = Il reste sur { $node } ; seul son pool change.
peer-move-goes = Il va de { $from } vers { $to }.
peer-move-act = Déplacer le pair
peer-was-moved = Le pair a été déplacé ; ses nœuds sont prévenus
peer-was-there = Le pair y était déjà ; rien n’a changé
peer-isolate-means = Sa clé quitte tous les nœuds avant toute autre chose ; il garde ses adresses.
peer-delete-ask = Supprimer { $name } ?
peer-delete-means = Les clés cessent de fonctionner en quelques secondes et sont retirées partout où elles sont vues ; les adresses sont retenues pendant { $rest }.
peer-routes-lost = Plus joignables
peer-nowhere = sur aucun nœud
peer-last-handshake = Dernière poignée de main
peer-node-seen = son nœud a été vu
peer-speaks-from = Parle depuis
peer-port = port
peer-nowhere-yet = nulle part encore
peer-traffic-all = Trafic, depuis toujours
peer-as-node-sees = reçu / envoyé, vu du nœud
peer-placed-on = Placé sur
peer-no-pool = tout nœud de son réseau
peer-places = Places
peer-state-on-node = Sur le nœud
peer-has-psk = clé prépartagée
peer-applied = synchronisé à { $generation }
peer-not-applied = à { $applied }, attend { $wanted }
peer-facts = Détails
peer-routes = Réseaux derrière lui
peer-routes-hint = Préfixes, un par ligne.
peer-stale = Configuration périmée
peer-stale-why = L’appareil a encore la configuration remise
peer-stale-act = Remettre la nouvelle
peer-why = Pourquoi ce nœud
peer-why-one = la plus faible charge pour son poids
peer-why-all = son pool place sur tous ses membres
peer-decided = décidé
peer-candidates = Candidats
peer-score = Score
peer-verdict = Verdict
peer-chosen = choisi
peer-others = Autres :
lacked-tied = aussi chargé, après dans l’ordre
lacked-loaded = plus de pairs pour son poids
lacked-same-node = une autre interface du nœud l’a
lacked-full = plein
lacked-drained = poids 0
lacked-unreachable = injoignable
lacked-disabled = désactivé
lacked-not-in-pool = hors du pool
peer-traffic = Trafic
peer-traffic-more = Plus long et en tableau
peer-traffic-of = Trafic de { $name }
peer-no-traffic = Aucun trafic mesuré pendant ce temps.
peer-over = Sur
peer-over-day = Un jour
peer-over-week = 7 jours
peer-over-month = 30 jours
peer-received = reçu
peer-sent = envoyé
peer-as-table = En tableau
peer-when = Quand
peer-sessions = Sessions
peer-sessions-of = Sessions de { $name }
peer-sessions-end = une session dure de sa première poignée de main à la dernière, et finit après 3 min sans
peer-sessions-all = Toutes les sessions
peer-sessions-all-of = Toutes les { $shown }
peer-sessions-none = Aucune n’a encore été vue.
peer-sessions-no-older = Il n’y en a pas avant celles-ci.
peer-began = Début
peer-lasted = Durée
peer-from = Depuis
peer-still-open = { $length }, encore ouverte
peer-one-handshake = une poignée de main
peer-unknown-for = Inconnue depuis
peer-unknown-why = son nœud ne répond pas
peer-node-gone = supprimé
peer-unknown = inconnue
peer-log-empty = Rien n’a encore été consigné.
peer-edit-what = Ses nœuds ne sont prévenus que de ce qui les concerne.
peer-new-key-hint = Une autre clé exclut l’ancienne aussitôt.
peer-save = Enregistrer le pair
peer-was-changed = Le pair a été modifié
peer-was-enabled = Le pair est activé ; ses nœuds le laissent entrer
peer-was-disabled = Le pair est désactivé ; ses nœuds ne le laissent plus entrer
peer-was-isolated = Le pair est isolé : sa clé part avant toute autre chose
peer-was-released = Le pair est libéré ; ses nœuds le laissent entrer
peer-was-deleted = { $name } a été supprimé
