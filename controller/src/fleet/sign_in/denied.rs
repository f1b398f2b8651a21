//! Why somebody does not come in, in words for them and in one for programs.

use crate::domain::captcha::CaptchaError;
use crate::fleet::FleetError;

/// Why somebody does not come in. The words are the same for users that are there and for those that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("the name or the password is wrong")]
    Wrong,
    #[error("the code is wrong or was used before")]
    WrongCode,
    #[error("the passkey is not known here, or did not prove itself")]
    WrongPasskey,
    #[error("there were too many attempts; try again in {0} seconds")]
    Wait(u64),
    #[error("the browser has to prove some work first")]
    CaptchaNeeded,
    #[error("the proof of work {0}")]
    Captcha(#[from] CaptchaError),
    #[error("the proof of work was used before")]
    CaptchaSpent,
    #[error("this took too long, or was begun in another browser: begin again")]
    Expired,
    #[error("signing in with a password is switched off for this user")]
    PasswordOff,
    #[error("there is no identity provider, or no address for passkeys")]
    NotConfigured,
    #[error("the identity provider does not vouch for this person here")]
    NotVouched,
    #[error("this sign-in was not begun in this browser, or took too long")]
    ForeignState,
    #[error("another user has this name already")]
    NameTaken,
    #[error("the identity provider is not to be had")]
    ProviderAway,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Fault(FleetError),
}

pub type Result<T> = std::result::Result<T, SignInError>;

impl<E: Into<FleetError>> From<E> for SignInError {
    fn from(err: E) -> Self {
        Self::Fault(err.into())
    }
}

impl Denied {
    /// One word for programs and for the audit log.
    pub fn code(self) -> &'static str {
        match self {
            Self::Wrong => "wrong_password",
            Self::WrongCode => "wrong_code",
            Self::WrongPasskey => "wrong_passkey",
            Self::Wait(_) => "too_many_attempts",
            Self::CaptchaNeeded => "captcha_needed",
            Self::Captcha(_) => "captcha_refused",
            Self::CaptchaSpent => "captcha_spent",
            Self::Expired => "sign_in_expired",
            Self::PasswordOff => "password_off",
            Self::NotConfigured => "not_configured",
            Self::NotVouched => "not_vouched_for",
            Self::ForeignState => "foreign_state",
            Self::NameTaken => "name_taken",
            Self::ProviderAway => "provider_away",
        }
    }
}
