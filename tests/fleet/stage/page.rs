//! A page as somebody without scripts has it before them: its text, its forms, and what they would send.

use reqwest::header::HeaderMap;

/// What somebody sees, and where.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// What a browser would send of the form that goes to `action`, were nothing filled in.
    pub(crate) fn form(&self, action: &str) -> Vec<(String, String)> {
        let goes_there = |form: &&str| form.starts_with(' ') && has(tag(form), "action", action);
        let mut forms = self.text.split("<form").skip(1);
        let form = forms.find(goes_there);
        let form =
            form.unwrap_or_else(|| panic!("{} has no form to {action}: {}", self.path, self.text));
        let form = form.split("</form>").next().unwrap();
        let mut fields = Vec::new();
        for input in form.split("<input").skip(1).map(tag) {
            let kind = attribute(input, "type").unwrap_or_default();
            let is_sent =
                !["radio", "checkbox"].contains(&kind.as_str()) || input.contains(" checked");
            if let Some(name) = attribute(input, "name").filter(|_| is_sent) {
                fields.push((name, attribute(input, "value").unwrap_or_default()));
            }
        }
        for select in form.split("<select").skip(1) {
            let options = || {
                select
                    .split("</select>")
                    .next()
                    .unwrap()
                    .split("<option")
                    .skip(1)
                    .map(tag)
            };
            let chosen = options()
                .find(|option| option.contains(" selected"))
                .or_else(|| options().next());
            let value = chosen.and_then(|option| attribute(option, "value"));
            if let (Some(name), Some(value)) = (attribute(tag(select), "name"), value) {
                fields.push((name, value));
            }
        }
        fields
    }

    /// Where its forms go that change something.
    pub(crate) fn actions(&self) -> Vec<String> {
        let forms = self.text.split("<form").skip(1).map(tag);
        let posts = forms.filter(|form| has(form, "method", "post"));
        let mut actions: Vec<String> = posts.filter_map(|form| attribute(form, "action")).collect();
        actions.dedup();
        actions
    }

    /// The fields of a form that somebody writes into.
    pub(crate) fn written(&self, action: &str) -> Vec<String> {
        let goes_there = |form: &&str| form.starts_with(' ') && has(tag(form), "action", action);
        let form = self.text.split("<form").skip(1).find(goes_there);
        let form = form.and_then(|form| form.split("</form>").next());
        let form = form.unwrap_or_else(|| panic!("{} has no form to {action}", self.path));
        let inputs = form.split("<input").skip(1).map(tag).filter(|input| {
            let kind = attribute(input, "type").unwrap_or_default();
            !["hidden", "checkbox", "radio", "file"].contains(&kind.as_str())
        });
        let areas = form.split("<textarea").skip(1).map(tag);
        let named = inputs.chain(areas);
        named.filter_map(|field| attribute(field, "name")).collect()
    }

    /// Whether a text is on the page, tags and all.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

/// The attributes of a tag whose name was cut off.
fn tag(text: &str) -> &str {
    let mut is_quoted = false;
    let end = text.find(|character| {
        is_quoted ^= character == '"';
        character == '>' && !is_quoted
    });
    &text[..end.unwrap_or(text.len())]
}

fn has(tag: &str, name: &str, value: &str) -> bool {
    attribute(tag, name).as_deref() == Some(value)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let begin = format!(" {name}=\"");
    let rest = &tag[tag.find(&begin)? + begin.len()..];
    let value = &rest[..rest.find('"')?];
    let entities = [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    Some(
        entities
            .iter()
            .fold(value.to_owned(), |text, (entity, character)| {
                text.replace(entity, character)
            }),
    )
}
