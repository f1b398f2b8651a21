//! The languages that pages speak, and their texts from `templates/texts/`.
//!
//! A text is looked up by a name written out in a template or in code; a test holds those names against the files in
//! both directions, so a text cannot be missing and none is left over. Figures are written in `figures`.

mod refusals;

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, static_loader};

use crate::domain::profile::Language;

static_loader! {
    static TEXTS = {
        locales: "../templates/texts",
        fallback_language: "en",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const ENGLISH: LanguageIdentifier = fluent_templates::langid!("en");
const FRENCH: LanguageIdentifier = fluent_templates::langid!("fr");

/// What is put into a text: a name written out, and its value.
pub(super) type Argument<'a> = (&'static str, FluentValue<'a>);

impl Language {
    /// The language that a code such as `fr` names.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [Self::En, Self::Fr];
        all.into_iter().find(|language| language.as_str() == code)
    }

    /// The first language of an `Accept-Language` header that is spoken here, by the weights given there.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut offers: Vec<(u16, Self)> = header.split(',').filter_map(offer).collect();
        // Stable: of equal weights the first is meant.
        offers.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        offers.first().map(|(_, language)| *language)
    }

    /// A text by its name.
    pub fn say(self, name: &'static str) -> String {
        self.look_up(name, None)
    }

    /// A text with something put in.
    pub fn say_with<'a, const N: usize>(
        self,
        name: &'static str,
        arguments: [Argument<'a>; N],
    ) -> String {
        let arguments: HashMap<Cow<'static, str>, FluentValue<'a>> = arguments
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value))
            .collect();
        self.look_up(name, Some(&arguments))
    }

    /// A text about one thing, which it calls `$name`.
    pub fn say_of(self, name: &'static str, thing: impl AsRef<str>) -> String {
        self.say_with(name, [("name", thing.as_ref().into())])
    }

    /// A text about so many things: `$count` chooses the form, `$shown` is the number as it is written.
    pub fn count(self, name: &'static str, count: u64) -> String {
        let chooses = FluentValue::from(count);
        self.say_with(
            name,
            [("count", chooses), ("shown", self.number(count).into())],
        )
    }

    fn look_up(
        self,
        name: &str,
        arguments: Option<&HashMap<Cow<'static, str>, FluentValue<'_>>>,
    ) -> String {
        // A page with a name in it is still of use; the tests do not let it come to that.
        self.find(name, arguments)
            .unwrap_or_else(|| name.to_owned())
    }

    fn find(
        self,
        name: &str,
        arguments: Option<&HashMap<Cow<'static, str>, FluentValue<'_>>>,
    ) -> Option<String> {
        let language = match self {
            Self::En => &ENGLISH,
            Self::Fr => &FRENCH,
        };
        match arguments {
            Some(arguments) => TEXTS.try_lookup_with_args(language, name, arguments),
            None => TEXTS.try_lookup(language, name),
        }
    }
}

/// One part of an `Accept-Language` header: the weight in thousandths, and the language if it is spoken here.
fn offer(part: &str) -> Option<(u16, Language)> {
    let mut pieces = part.split(';').map(str::trim);
    let tag = pieces.next()?.to_ascii_lowercase();
    let weight = match pieces.find_map(|piece| piece.strip_prefix("q=")) {
        Some(text) => text
            .parse::<f32>()
            .ok()
            .filter(|q| (0.0..=1.0).contains(q))?,
        None => 1.0,
    };
    let primary = tag.split('-').next()?;
    // Between nought and a thousand.
    let thousandths = (weight * 1000.0) as u16;
    (thousandths > 0).then_some((thousandths, Language::of_code(primary)?))
}

#[cfg(test)]
mod texts;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_is_spoken_here_wins() {
        let cases = [
            ("fr-CA,fr;q=0.9,en;q=0.8", Some(Language::Fr)),
            ("de, en;q=0.5, fr;q=0.7", Some(Language::Fr)),
            ("en, fr", Some(Language::En)),
            ("fr;q=0, en;q=0.1", Some(Language::En)),
            ("de-DE", None),
            ("fr;q=nonsense", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
