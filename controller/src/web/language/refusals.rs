//! Why something was not done, in the language of whoever asked: by its code, with the facts that came along.
//!
//! The texts are `refusal-CODE` and `mistake-CODE`, and `check-CODE` for what a test of a connection finds;
//! `refusal-CODE-plainly` is for where the facts of the first are not known. What has no text is said in the English of
//! the JSON API.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use serde_json::{Value, json};

use crate::agent::Check;
use crate::api::fields::mistake::Mistake;
use crate::api::problem::Problem;
use crate::api::problem::words::Words;
use crate::domain::profile::Language;
use crate::fleet::Refusal;

/// How Fluent shows what a text asks for and is not given.
const UNKNOWN_FACT: &str = "{$";

impl Language {
    /// Why something is refused. Of several fields each is named.
    pub fn why(self, words: Words<'_>) -> String {
        let wrong: Vec<String> = words
            .mistakes()
            .map(|(field, words)| format!("{field} {}", self.wrong(words)))
            .collect();
        match wrong.is_empty() {
            true => self.told("refusal", words),
            false => wrong.join("; "),
        }
    }

    /// What is wrong with a field; it goes on from the field's name.
    pub fn wrong(self, words: Words<'_>) -> String {
        self.told("mistake", words)
    }

    /// The same of what was parsed for a page alone.
    pub fn mistake(self, wrong: impl Into<Mistake>) -> String {
        let wrong = wrong.into();
        let entry = wrong.json("");
        Words::of(&entry).map_or_else(|| wrong.detail().to_owned(), |words| self.wrong(words))
    }

    /// What a check of a connection says: the sentence, what a machine said of it, and what is mostly behind it.
    pub fn found(self, check: &Check) -> String {
        let Check {
            code,
            sentence,
            details,
            ..
        } = check;
        let entry = json!({"code": code, "detail": sentence, "details": details});
        let Some(words) = Words::of(&entry) else {
            return sentence.clone();
        };
        let mut told = self.told("check", words);
        let fact = |name| details.get(name).and_then(Value::as_str);
        // Without a text the sentence is whole already.
        if told == *sentence {
            return told;
        }
        if let Some(cause) = fact("cause") {
            told.push_str(&format!(" ({cause})"));
        }
        if let Some(hint) = fact("hint").and_then(|code| self.find(&format!("check-{code}"), None))
        {
            told.push_str(&format!(". {hint}"));
        }
        told
    }

    /// Why a flow refused.
    pub fn refusal(self, refusal: Refusal) -> String {
        self.why(Problem::from(refusal).words())
    }

    fn told(self, kind: &str, words: Words<'_>) -> String {
        let facts: HashMap<Cow<'static, str>, FluentValue<'_>> = words
            .facts()
            .filter_map(|(name, fact)| Some((Cow::Owned(name.to_owned()), value(fact)?)))
            .collect();
        let name = format!("{kind}-{}", words.code);
        let whole = self
            .find(&name, Some(&facts))
            .filter(|text| !text.contains(UNKNOWN_FACT));
        let plain = || self.find(&format!("{name}-plainly"), None);
        whole
            .or_else(plain)
            .unwrap_or_else(|| words.detail.to_owned())
    }
}

fn value(fact: &Value) -> Option<FluentValue<'_>> {
    match fact {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => number.as_i64().map(FluentValue::from),
        Value::Array(several) => {
            let texts: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
            Some(texts?.join(", ").into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_language_asked_for_with_its_facts() {
        let known = Refusal::conflict("prefix_overlaps", "english")
            .with(json!({"prefix": "10.8.0.0/24", "other": "10.8.0.0/16", "network": "office"}));
        let bare = Refusal::conflict("prefix_overlaps", "english");
        let nameless = Refusal::conflict("never_heard_of", "english");

        let text = Language::Fr.refusal(known);

        assert!(
            text.contains("10.8.0.0/16") && text.contains("office"),
            "{text}"
        );
        assert!(text.contains("chevauche"), "{text}");
        let text = Language::Fr.refusal(bare);
        assert!(text.contains("chevauche") && !text.contains('{'), "{text}");
        assert_eq!(Language::Fr.refusal(nameless), "english");
    }
}
