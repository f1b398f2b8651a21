profile-summary = How you see things here, and what proves that it is you.
profile-display = Display
profile-display-saved = The display is saved.
profile-language = Language
profile-language-browser = As the browser asks
profile-zone = Time zone
profile-zone-hint = A name such as Europe/Paris or UTC.
profile-zone-wrong = is not the name of a time zone, such as Europe/Paris
profile-password-why = A new password ends all your other sessions.
profile-password-old = Password until now
profile-password-new = New password
profile-password-change = Change the password
profile-password-changed = The password is changed. All other sessions have ended.
profile-password-wrong = is not your password
profile-prove = To prove that it is still you.
profile-totp = Authenticator
profile-totp-on = A code is asked for after the password.
profile-totp-off = An app that shows a new code every 30 seconds. Once it is set up, a password alone is not enough any more.
profile-totp-begin = Set up an authenticator
profile-totp-how = Scan the picture with the app, then enter the code that it shows. Until then nothing changes.
profile-totp-by-hand = It holds a secret and is shown once. To type it by hand:
profile-totp-code-hint = The six digits that the app shows now.
profile-totp-wrong = is not the code that the app should show now. Its clock may be off.
profile-totp-confirm = Confirm the code
profile-totp-not-now = Not now
profile-totp-anew = Begin with a new picture
profile-totp-remove = Remove the authenticator
profile-totp-removed = The authenticator is removed. The password alone lets you in.
profile-codes = Recovery codes
profile-codes-why = Each is good once, in place of the authenticator. They are shown now and never again: print them or write them down.
profile-codes-kept = I have kept them
profile-codes-renew = Make new recovery codes
profile-codes-left = { $count ->
    [one] { $shown } recovery code is left.
   *[other] { $shown } recovery codes are left.
}
profile-passkeys = Passkeys
profile-passkeys-why = A device that knows you by a finger, a face or a PIN. It needs neither name, password nor code.
profile-passkey-made = made
profile-passkey-used = used
profile-passkey-name = What you call the device
profile-passkey-add = Add a passkey
profile-passkey-remove = Remove the passkey
profile-passkey-removed = The passkey is removed.
profile-passkey-failed = The device made no passkey.
profile-copy = Copy
profile-copied = Copied

sessions = Sessions
session-browser = Browser
session-address = From
session-seen = Seen
session-began = Signed in
session-this = this one
session-end = End the session
session-ended = The session has ended.
session-unknown = unknown
session-by-setup = by the setup link
session-by-password = by password
session-by-totp = by password and code
session-by-recovery-code = by recovery code
session-by-passkey = by passkey
session-by-oidc = by the identity provider
sessions-end-others = End all other sessions
sessions-ended = { $count ->
    [one] { $shown } session has ended.
   *[other] { $shown } sessions have ended.
}
