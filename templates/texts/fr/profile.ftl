profile-summary = Comment les choses s’affichent ici, et ce qui prouve que c’est vous.
profile-display = Affichage
profile-display-saved = L’affichage est enregistré.
profile-language = Langue
profile-language-browser = Celle du navigateur
profile-zone = Fuseau horaire
profile-zone-hint = Un nom tel que Europe/Paris ou UTC.
profile-zone-wrong = n’est pas le nom d’un fuseau horaire, tel que Europe/Paris
profile-password-why = Un nouveau mot de passe termine toutes vos autres sessions.
profile-password-old = Mot de passe actuel
profile-password-new = Nouveau mot de passe
profile-password-change = Changer le mot de passe
profile-password-changed = Le mot de passe est changé. Toutes les autres sessions sont terminées.
profile-password-wrong = n’est pas votre mot de passe
profile-prove = Pour prouver que c’est toujours vous.
profile-totp = Application d’authentification
profile-totp-on = Un code est demandé après le mot de passe.
profile-totp-off = Une application qui affiche un nouveau code toutes les 30 secondes. Une fois en place, le mot de passe seul ne suffit plus.
profile-totp-begin = Configurer une application d’authentification
profile-totp-how = Scanner l’image avec l’application, puis saisir le code affiché. D’ici là rien ne change.
profile-totp-by-hand = Elle contient un secret et n’est montrée qu’une fois. Pour le saisir à la main :
profile-totp-code-hint = Les six chiffres affichés maintenant.
profile-totp-wrong = n’est pas le code que l’application devrait afficher. Son horloge est peut-être décalée.
profile-totp-confirm = Confirmer le code
profile-totp-not-now = Pas maintenant
profile-totp-anew = Recommencer avec une nouvelle image
profile-totp-remove = Retirer l’application
profile-totp-removed = L’application d’authentification est retirée. Le mot de passe seul suffit.
profile-codes = Codes de secours
profile-codes-why = Chacun sert une fois, à la place de l’application. Ils s’affichent maintenant et plus jamais : les imprimer ou les noter.
profile-codes-kept = Ils sont en lieu sûr
profile-codes-renew = Créer de nouveaux codes de secours
profile-codes-left = { $count ->
    [one] Il reste { $shown } code de secours.
   *[other] Il reste { $shown } codes de secours.
}
profile-passkeys = Clés d’accès
profile-passkeys-why = Un appareil qui vous reconnaît par un doigt, un visage ou un code PIN. Ni identifiant, ni mot de passe, ni code.
profile-passkey-made = créée
profile-passkey-used = utilisée
profile-passkey-name = Nom de l’appareil
profile-passkey-add = Ajouter une clé d’accès
profile-passkey-remove = Retirer la clé d’accès
profile-passkey-removed = La clé d’accès est retirée.
profile-passkey-failed = L’appareil n’a pas créé de clé d’accès.
profile-copy = Copier
profile-copied = Copié

sessions = Sessions
session-browser = Navigateur
session-address = Depuis
session-seen = Vue
session-began = Connexion
session-this = celle-ci
session-end = Terminer la session
session-ended = La session est terminée.
session-unknown = inconnu
session-by-setup = par le lien d’installation
session-by-password = par mot de passe
session-by-totp = par mot de passe et code
session-by-recovery-code = par code de secours
session-by-passkey = par clé d’accès
session-by-oidc = par le fournisseur d’identité
sessions-end-others = Terminer toutes les autres sessions
sessions-ended = { $count ->
    [one] { $shown } session est terminée.
   *[other] { $shown } sessions sont terminées.
}
