//! The door: signing in, staying signed in, and who vouches for people.

use super::{Group, number, with_default, without_default};

const DAY_S: u64 = 86_400;

pub(super) const SIGN_IN: Group = Group {
    name: "sign_in",
    about: "How people sign in, and how much guessing is too much.",
    keys: &[
        with_default(
            "password",
            "\"on\"",
            "Who may sign in with a password: on for everybody, admin-only, or off. Passkeys are not concerned.",
        ),
        number(
            "address_failures",
            5,
            (1, 1000),
            "Failures from one address, an IPv6 /64 counting as one, within its window; what is more is refused.",
        ),
        number(
            "address_window_s",
            300,
            (1, DAY_S),
            "That window, and how long the refusal lasts the first time; it doubles each further time.",
        ),
        number(
            "account_failures",
            10,
            (1, 1000),
            "Failures for one account within its window; what is more is refused.",
        ),
        number(
            "account_window_s",
            900,
            (1, DAY_S),
            "That window, and how long the refusal lasts the first time; it doubles each further time.",
        ),
        number(
            "longest_wait_s",
            3600,
            (1, DAY_S),
            "The longest such refusal; after as long a quiet time the doubling begins anew.",
        ),
        with_default(
            "captcha",
            "\"adaptive\"",
            "When the browser has to prove work: always, adaptive after some failures, or off. Nobody has to read a \
             picture, and no third party is asked.",
        ),
        number(
            "captcha_after",
            2,
            (1, 1000),
            "Failures of an address or an account after which work is asked for.",
        ),
        number(
            "captcha_ttl_s",
            300,
            (10, 3600),
            "How long a browser has for it.",
        ),
        number(
            "captcha_cost",
            200,
            (1, 100_000),
            "How much work it is: about 256 times so many hashes.",
        ),
        number(
            "second_step_s",
            300,
            (10, 3600),
            "How long a sign-in that was begun may take: for the second step, a passkey, the identity provider.",
        ),
        number(
            "setup_link_s",
            DAY_S,
            (60, 30 * DAY_S),
            "How long the link is good that makes the first administrator. Another start prints another one.",
        ),
    ],
};

pub(super) const SESSIONS: Group = Group {
    name: "sessions",
    about: "How long people stay signed in.",
    keys: &[
        number(
            "idle_s",
            8 * 3600,
            (60, 30 * DAY_S),
            "Without anything that somebody asks for, so long; what an open page asks for by itself does not count.",
        ),
        number(
            "absolute_s",
            DAY_S,
            (60, 365 * DAY_S),
            "In any case no longer than that.",
        ),
        number(
            "note_every_s",
            60,
            (0, 3600),
            "How far the note of the last request may be behind, so that reading does not mean writing.",
        ),
    ],
};

pub(super) const OIDC: Group = Group {
    name: "oidc",
    about: "Signing in through an identity provider, by OpenID Connect.",
    keys: &[
        without_default(
            "issuer",
            "\"https://id.example.org/realms/staff\"",
            "The provider, exactly as it names itself; its settings are found from there. base_url must be set too.",
        ),
        without_default(
            "client_id",
            "\"wgfleet\"",
            "What the controller is called there. Its redirect address is base_url and /login/oidc/callback.",
        ),
        without_default(
            "client_secret_file",
            "\"/etc/wgfleet/oidc.secret\"",
            "Holds the secret that belongs to it, the file's mode 0600 or 0640. Without it, the controller is a \
             public client.",
        ),
        with_default(
            "label",
            "\"Single sign-on\"",
            "What the button on the login page says.",
        ),
        with_default(
            "scopes",
            "[\"openid\", \"profile\", \"email\"]",
            "What is asked of the provider; openid among them.",
        ),
        with_default(
            "name_claim",
            "\"preferred_username\"",
            "The claim that holds the login name; of an address, what stands before the @.",
        ),
        with_default(
            "groups_claim",
            "\"groups\"",
            "The claim that lists the groups of a person.",
        ),
        with_default(
            "admin_groups",
            "[]",
            "Groups whose members are administrators.",
        ),
        with_default(
            "operator_groups",
            "[]",
            "Groups whose members are operators.",
        ),
        with_default(
            "viewer_groups",
            "[]",
            "Groups whose members are viewers. Who is in none of all these groups does not come in.",
        ),
        without_default(
            "ca_file",
            "\"/etc/wgfleet/oidc-ca.pem\"",
            "The authority of the provider's certificate, beside those that this machine trusts.",
        ),
        number(
            "timeout_ms",
            10_000,
            (10, 120_000),
            "How long the provider may take to answer.",
        ),
        number(
            "keys_keep_s",
            3600,
            (1, DAY_S),
            "How long its settings and keys are believed before they are fetched again.",
        ),
        number(
            "recheck_s",
            300,
            (1, DAY_S),
            "In what time it is asked again about each session, if it gives refresh tokens (many do for the scope \
             offline_access): who lost their groups is out then. Without them, groups act at the next sign-in.",
        ),
    ],
};
