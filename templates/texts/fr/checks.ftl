# Ce que trouve le test d’une connexion, par code.
check-node_answers = Le nœud répond
check-agent_of_version = L’agent { $version } répond
check-agent_answers = Un agent répond
check-both_sign = Il accepte notre signature et signe ses réponses
check-only_we_sign = Il accepte notre signature ; ses réponses sont crues sans la sienne
check-clock_unproven = Un agent qui ne signe pas ne prouve pas l’heure qu’il a
check-clock_agrees = Son horloge s’accorde avec la nôtre
check-clock_ahead = Son horloge avance de { $seconds } s sur la nôtre
check-clock_behind = Son horloge retarde de { $seconds } s sur la nôtre
check-not_looked_at = Cela n’a pas pu être examiné
check-interface_there = { $peers ->
    [one] { $name } est là avec { $peers } pair
   *[other] { $name } est là avec { $peers } pairs
}
check-interface_down = { $peers ->
    [one] { $name } est là avec { $peers } pair, mais son lien est coupé
   *[other] { $name } est là avec { $peers } pairs, mais son lien est coupé
}
check-interface_of_a_kind = { $name } est là
check-has_a_key = C’est du WireGuard, et il y a une clé
check-has_no_key = { $name } n’a pas de clé : ce n’est pas du WireGuard, ou ce n’est pas configuré
check-not_wireguard = { $name } n’est pas une interface WireGuard
check-no_such_interface = L’agent ne sert aucune interface de ce nom ({ $code })
check-connection_refused = L’agent est injoignable : la connexion a été refusée
check-no_route = L’agent est injoignable : aucun chemin ne mène à son adresse
check-no_address_of_name = L’agent est injoignable : son nom n’a pas d’adresse
check-no_answer_in_time = L’agent est injoignable : il n’a pas répondu à temps
check-no_tls = L’agent est injoignable : aucune connexion TLS ne convient aux deux côtés
check-connection_ended = L’agent est injoignable : la connexion a pris fin avant une réponse entière
check-agent_busy = L’agent ne prend plus de requêtes pour le moment
check-wrong_secret = L’agent n’accepte pas notre signature ({ $code })
check-unsigned = La réponse, de statut { $status }, n’est pas signée
check-bad_signature = La réponse, de statut { $status }, n’est pas signée par ce nœud pour cette requête
check-not_an_agent = Ce qui répond là, avec le statut { $status }, n’est pas un agent
check-too_early = L’agent ne prend aucune écriture pendant encore { $wait_s } s après son démarrage
check-agent_refused = L’agent a refusé ({ $code }) : { $error }
check-answer_compressed = La réponse est illisible : elle a été compressée en chemin
check-answer_too_large = La réponse est illisible : elle dépasse { $limit } octets
check-answer_not_json = La réponse est illisible : ce n’est pas du JSON
check-answer_misshapen = La réponse est illisible : ligne { $line }, colonne { $column }, ce n’est pas ce que dit le contrat
check-request_too_large = La requête a { $bytes } octets, et l’agent en prend { $limit }
check-unsendable = La requête ne peut être faite
check-hint_tls = Si l’agent a TLS, son adresse commence par https:// ; il raccroche à qui n’est pas dans son allow_from
check-hint_headers = Quelque chose entre nous change les en-têtes des requêtes
check-hint_legacy = Ne marquez le nœud comme ancien que si l’on sait que son agent ne signe pas
