# Pourquoi quelque chose n’a pas été fait, par le code du refus.
refusal-not_found = Il n’y a rien ici.
refusal-internal = Le contrôleur a échoué ; son journal dit pourquoi.
refusal-forbidden = Votre rôle ne va pas jusque-là.
refusal-database_unavailable = La base de données est indisponible pour l’instant : réessayez bientôt.
refusal-starting = Le contrôleur démarre : réessayez dans un instant.
refusal-not_signed_in = Connectez-vous d’abord.
refusal-version_mismatch = Quelqu’un l’a modifié entre-temps : relisez-le.
refusal-invalid_form = Le formulaire ne convient pas : rechargez la page.
refusal-invalid_query = L’adresse de cette page demande quelque chose d’impossible.
refusal-invalid_cursor = Cet endroit de la liste n’a pas été donné ici : recommencez.
refusal-not_a_form = Le corps doit être un formulaire.
refusal-body_too_large = C’est plus gros que ce que le contrôleur accepte.
refusal-method_not_allowed = Cette adresse n’accepte pas cela.
refusal-unknown_language = Cette langue n’est pas parlée ici.
refusal-name_taken = Ce nom est déjà pris.
refusal-invalid_name = Un nom a de 1 à 100 caractères, sans caractère de contrôle.
refusal-unknown_network = Ce réseau n’existe pas.
refusal-unknown_pool = Ce pool n’existe pas.
refusal-unknown_node = Ce nœud n’existe pas.
refusal-unknown_reach = Le pool ou le réseau auquel se limite le rôle est inconnu.
refusal-limited_admin = Un administrateur atteint tout : choisissez toute la flotte.
refusal-last_admin = Le dernier administrateur actif ne peut être ni supprimé, ni désactivé, ni changé de rôle.
refusal-unknown_time_zone = Aucun fuseau horaire ne porte ce nom.
refusal-bearer_writes = Seule une clé de portée lecture peut avoir un jeton au porteur.
refusal-expired = La clé serait déjà expirée.
refusal-setup_closed = Ce lien a été utilisé, a expiré ou a été remplacé au redémarrage du contrôleur.
refusal-totp_in_use = Un authentificateur est déjà en service : retirez-le d’abord.
refusal-wrong_code = Ce n’est pas le code que l’authentificateur devrait afficher maintenant.
refusal-passkey_known = Cette clé d’accès est déjà connue.
refusal-prefix_overlaps = { $prefix } chevauche { $other } du réseau { $network }.
refusal-prefix_overlaps-plainly = Le préfixe chevauche celui d’un autre réseau.
refusal-prefix_overlaps_route = { $prefix } chevauche { $route }, qui se trouve derrière le pair { $peer }.
refusal-two_prefixes_of_a_family = Un réseau a au plus un préfixe de chaque famille.
refusal-network_in_use = Le réseau contient encore { $peers } pairs et { $interfaces } interfaces.
refusal-no_prefix = Un réseau a au moins un préfixe.
refusal-static_peers = { $count } pairs statiques garderaient leurs anciennes adresses : { $peers }
refusal-static_peers-plainly = Des pairs statiques garderaient leurs anciennes adresses.
refusal-interface_addresses = Des interfaces ont une adresse hors du nouveau préfixe : changez-les d’abord.
refusal-interface_pools = Des interfaces ont un pool hors du nouveau préfixe : changez-les d’abord.
refusal-prefix_outside = Ceci n’est dans aucun préfixe du réseau.
refusal-addresses_in_use = { $count ->
    [one] { $count } adresse de { $prefix } est utilisée.
   *[other] { $count } adresses de { $prefix } sont utilisées.
}
refusal-reservation_overlaps = Ceci chevauche une autre réservation.
refusal-unsuitable = Aucun préfixe ne convient : la base n’a pas de place pour autant de pairs.
refusal-address_outside = L’adresse n’est dans aucun préfixe du réseau.
refusal-address_unusable = Aucun pair ne peut avoir cette adresse : elle est réservée, ou au bord de son préfixe.
refusal-pool_exhausted = { $range } n’a plus assez de place : { $free } libres.
refusal-address_taken = { $address } appartient à { $holder }.
refusal-address_taken-plainly = L’adresse appartient à quelqu’un d’autre.
refusal-two_addresses_of_a_family = Un pair a une adresse de chaque famille.
refusal-agent_url_taken = Un nœud avec cette adresse d’agent existe déjà.
refusal-secret_taken = Un autre nœud a ce secret ; chacun a besoin du sien.
refusal-node_in_use = { $peers ->
    [one] Le nœud porte encore { $peers } pair.
   *[other] Le nœud porte encore { $peers } pairs.
}
refusal-no_interface = Le nœud n’a pas encore d’interface : nommez celle à regarder.
refusal-interface_in_use = { $peers ->
    [one] L’interface porte encore { $peers } pair.
   *[other] L’interface porte encore { $peers } pairs.
}
refusal-another_key = L’interface a une autre clé que celle-ci : regardez-la de nouveau.
refusal-interface_moved = L’interface vient de passer dans un autre réseau.
refusal-interface_busy = Quelqu’un travaille sur cette interface : réessayez dans un instant.
refusal-last_node_of_network = { $node } est le dernier nœud actif qui sert { $networks }, où il y a des pairs.
refusal-ip_pool_overlaps = Le pool chevauche { $ip_pool } de l’interface { $interface } du nœud { $node }.
refusal-ip_pool_overlaps-plainly = Le pool chevauche celui d’une autre interface.
refusal-two_pools_of_a_family = Une interface a au plus un pool de chaque famille.
refusal-ip_pool_outside_network = { $ip_pool } n’est pas dans le réseau, qui a { $prefixes }.
refusal-interface_key_unknown = La clé publique de { $interface } sur le nœud { $node } n’est pas encore connue : le nœud ne l’a pas dite.
refusal-unknown_key = Ces clés ne sont plus toutes des clés inconnues de l’interface.
refusal-cannot_adopt = Certaines clés ne peuvent pas être adoptées.
refusal-key_unusable = Ce n’est pas une clé qu’un pair peut avoir.
refusal-key_elsewhere = Un autre nœud porte aussi cette clé.
refusal-plan_applied = Ce plan a déjà été exécuté.
refusal-world_moved = Ce qui devrait être ou ce qui est a changé depuis ce plan : faites-en un autre.
refusal-peers_refused = Le nœud a refusé certains pairs.
refusal-key_taken = Un pair avec cette clé publique existe déjà.
refusal-route_overlaps = Ce qui se trouve derrière le pair chevauche { $route }, qui est derrière le pair { $peer }.
refusal-route_overlaps-plainly = Ce qui se trouve derrière le pair chevauche un autre préfixe derrière un pair.
refusal-route_overlaps_network = { $route } chevauche { $prefix } du réseau { $network }.
refusal-no_owner = Ce propriétaire n’existe pas.
refusal-no_node = Aucun nœud ne peut prendre le pair : chacun est plein, vidé, désactivé, injoignable ou hors du pool.
refusal-nowhere_named = Choisissez un nœud, un pool, ou les deux.
refusal-placed_everywhere = Le pool { $pool } place ses pairs sur tous ses membres : choisissez avec le nœud un autre pool, ou aucun.
refusal-node_elsewhere = Le nœud { $node } ne dessert pas le réseau { $network }, que le pair ne quitte pas.
refusal-pool_elsewhere = Aucun membre du pool { $pool } ne dessert le réseau { $network }, que le pair ne quitte pas.
refusal-not_a_member = Le nœud { $node } n’est pas membre du pool { $pool } : choisissez avec le nœud un autre pool, ou aucun.
refusal-no_address = Le pair n’a pas d’adresse dans le réseau.
refusal-same_key = Deux nœuds du pair ont la même clé publique.
refusal-nothing_to_reach = Un nœud n’a pas d’adresse dans une famille où le pair en a une.
refusal-allowed_ips_overlap = Deux nœuds du pair revendiqueraient les mêmes adresses.
refusal-config_too_long = La configuration est trop longue pour cette image.
refusal-peer_isolated = Le pair est isolé : personne n’obtient sa configuration.
refusal-invalid_tag = Une étiquette a de 1 à 64 octets, sans virgule ni caractère de contrôle.
refusal-unknown_act = Ceci ne se fait pas avec plusieurs pairs.
refusal-too_many = C’est plus de pairs qu’on n’en peut changer à la fois.
refusal-number_of_rows = On peut créer de 1 à 10 000 pairs à la fois.
refusal-invalid_rows = Certaines lignes sont fausses ; aucune n’a été prise.
refusal-last_member = { $peers ->
    [one] { $peers } pair ne serait plus sur aucun nœud.
   *[other] { $peers } pairs ne seraient plus sur aucun nœud.
}
refusal-node_full = Le nœud prend au plus { $max_peers } pairs, en a { $peers } et en recevrait { $more } de plus.
refusal-pool_in_use = { $peers ->
    [one] { $peers } pair nomme ce pool.
   *[other] { $peers } pairs nomment ce pool.
}
refusal-unreachable = Le nœud ne répond pas.
refusal-wrong_secret = L’agent du nœud a un autre secret.
refusal-clock_skew = L’horloge du nœud est trop loin de celle du contrôleur.
refusal-unsigned = La réponse du nœud n’est pas signée.
refusal-bad_signature = La signature de la réponse du nœud ne correspond pas.
refusal-not_an_agent = Ce qui répond là n’est pas un agent.
refusal-too_early = L’agent du nœud vient de démarrer : réessayez dans un instant.
refusal-malformed_answer = La réponse du nœud est incompréhensible.
refusal-request_too_large = C’est plus que ce que l’agent du nœud accepte à la fois.
refusal-unsendable = La requête au nœud ne peut pas être envoyée.
refusal-interface_missing = Le nœud n’a pas cette interface.
refusal-busy = L’agent du nœud est occupé : réessayez dans un instant.
refusal-refused = L’agent du nœud a refusé.
refusal-generation_mismatch = Le nœud a avancé entre-temps : réessayez.
refusal-peer_exists = Le nœud a déjà ce pair.
refusal-peer_unknown = Le nœud ne connaît pas ce pair.
refusal-allowed_ip_taken = Un autre pair du nœud a l’une des adresses.
refusal-mass_removal = Le nœud refuse de retirer autant de pairs à la fois.
refusal-not_durable = Le nœud l’a fait, mais n’a pas pu le garder sur son disque.
refusal-replayed = Le nœud avait déjà vu cette requête.
