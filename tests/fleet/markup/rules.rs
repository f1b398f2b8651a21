//! What is wrong with a page, by the standard: <https://html.spec.whatwg.org>. The parser finds what is no HTML at all;
//! the rules here find elements where they may not stand, and ids that are there twice or nowhere.

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::{QuirksMode, TreeBuilderOpts};
use html5ever::{ParseOpts, QualName, local_name, ns, parse_document, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Elements that hold words, and what words may hold.
const HOLDS_WORDS: &[&str] = &[
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "span", "small", "b", "i", "em", "strong", "code",
    "time", "label", "button", "pre", "abbr", "kbd", "sub", "sup", "output", "q", "samp", "u",
    "var",
];
const NOT_AMONG_WORDS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
];
const ACTS: &[&str] = &[
    "a", "button", "details", "input", "label", "select", "textarea",
];

/// What an element stands in; for those that do not stand anywhere.
const STANDS_IN: &[(&str, &[&str])] = &[
    ("li", &["ul", "ol", "menu"]),
    ("dt", &["dl", "div"]),
    ("dd", &["dl", "div"]),
    ("tr", &["thead", "tbody", "tfoot", "table"]),
    ("td", &["tr"]),
    ("th", &["tr"]),
    ("thead", &["table"]),
    ("tbody", &["table"]),
    ("tfoot", &["table"]),
    ("caption", &["table"]),
    ("option", &["select", "optgroup", "datalist"]),
    ("legend", &["fieldset"]),
    ("summary", &["details"]),
    ("figcaption", &["figure"]),
    ("source", &["picture", "audio", "video"]),
    (
        "title",
        &[
            "head", "svg", "g", "rect", "path", "circle", "a", "line", "polyline", "text",
        ],
    ),
];
/// What stands in an element, where that is not whatever.
const HOLDS_ONLY: &[(&str, &[&str])] = &[
    ("ul", &["li", "template"]),
    ("ol", &["li", "template"]),
    ("dl", &["dt", "dd", "div"]),
    ("tr", &["td", "th"]),
    ("select", &["option", "optgroup", "hr"]),
];
const POINTS: &[&str] = &[
    "for",
    "form",
    "list",
    "headers",
    "popovertarget",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-owns",
];
/// Attributes that no element has any more, or that a policy forbids.
const NEVER: &[&str] = &[
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "style",
    "valign",
    "onclick",
];

pub(super) fn faults(html: &str) -> Vec<String> {
    let is_whole = html.trim_start().to_lowercase().starts_with("<!doctype");
    let dom = parse(html, is_whole);
    let mut faults: Vec<String> = dom
        .errors
        .borrow()
        .iter()
        .map(ToString::to_string)
        .collect();
    if dom.quirks_mode.get() != QuirksMode::NoQuirks && is_whole {
        faults.push("is read in quirks mode".to_owned());
    }
    let mut walk = Walk {
        is_whole,
        ..Walk::default()
    };
    walk.look(&dom.document, &mut Vec::new());
    faults.append(&mut walk.faults);
    for (id, count) in &walk.ids {
        if *count > 1 {
            faults.push(format!("the id {id} is there {count} times"));
        }
    }
    if is_whole {
        let lost = walk
            .pointed
            .iter()
            .filter(|(_, id)| !walk.ids.contains_key(id));
        faults.extend(
            lost.map(|(attribute, id)| format!("{attribute} points at {id}, which is nowhere")),
        );
        for (element, wanted) in [("title", 1), ("main", 1), ("h1", 1)] {
            let count = walk.elements.get(element).copied().unwrap_or(0);
            if count != wanted {
                faults.push(format!("{count} of {element}"));
            }
        }
    }
    faults
}

fn parse(html: &str, is_whole: bool) -> RcDom {
    let options = ParseOpts {
        tokenizer: TokenizerOpts {
            exact_errors: true,
            ..TokenizerOpts::default()
        },
        tree_builder: TreeBuilderOpts {
            exact_errors: true,
            ..TreeBuilderOpts::default()
        },
    };
    match is_whole {
        true => parse_document(RcDom::default(), options).one(html),
        false => {
            let context = QualName::new(None, ns!(html), local_name!("div"));
            parse_fragment(RcDom::default(), options, context, Vec::new(), false).one(html)
        }
    }
}

#[derive(Default)]
struct Walk {
    /// Else it is a part of a page.
    is_whole: bool,
    faults: Vec<String>,
    ids: BTreeMap<String, usize>,
    pointed: Vec<(String, String)>,
    elements: BTreeMap<String, usize>,
}

impl Walk {
    fn look(&mut self, node: &Handle, above: &mut Vec<String>) {
        let NodeData::Element { name, attrs, .. } = &node.data else {
            for child in node.children.borrow().iter() {
                self.look(child, above);
            }
            return;
        };
        let element = name.local.to_string();
        let is_html = name.ns == ns!(html);
        let attributes: BTreeMap<String, String> = attrs
            .borrow()
            .iter()
            .map(|one| (one.name.local.to_string(), one.value.to_string()))
            .collect();
        self.attributes(&element, &attributes);
        if is_html {
            *self.elements.entry(element.clone()).or_default() += 1;
            self.place(&element, &attributes, above);
        }
        above.push(element);
        for child in node.children.borrow().iter() {
            self.look(child, above);
        }
        above.pop();
    }

    fn attributes(&mut self, element: &str, attributes: &BTreeMap<String, String>) {
        for (name, value) in attributes {
            if name == "id" {
                if value.is_empty() || value.contains(char::is_whitespace) {
                    self.faults.push(format!("{value:?} is no id"));
                }
                *self.ids.entry(value.clone()).or_default() += 1;
            }
            if POINTS.contains(&name.as_str()) {
                let ids = value.split_whitespace();
                self.pointed
                    .extend(ids.map(|id| (name.clone(), id.to_owned())));
            }
            if NEVER.contains(&name.as_str()) {
                self.faults.push(format!("{element} has {name}"));
            }
            if ["href", "src", "action"].contains(&name.as_str()) && value.contains([' ', '"', '<'])
            {
                self.faults.push(format!("{element} leads to {value:?}"));
            }
        }
        let lacks = match element {
            "html" if self.is_whole => !attributes.contains_key("lang"),
            "img" => !attributes.contains_key("alt"),
            "th" => attributes.get("scope").is_some_and(|scope| {
                !["col", "row", "colgroup", "rowgroup"].contains(&scope.as_str())
            }),
            "meta" => !attributes.contains_key("charset") && !attributes.contains_key("content"),
            _ => false,
        };
        if lacks {
            self.faults.push(format!(
                "{element} lacks an attribute or has a wrong one: {attributes:?}"
            ));
        }
    }

    fn place(&mut self, element: &str, attributes: &BTreeMap<String, String>, above: &[String]) {
        // A fragment stands in what the parser calls html.
        let parent = above.last().map_or("", String::as_str);
        let within = |elements: &[&str]| {
            above
                .iter()
                .rev()
                .find(|one| elements.contains(&one.as_str()))
        };
        if parent != "html" {
            let stands = STANDS_IN.iter().find(|(name, _)| *name == element);
            if stands.is_some_and(|(_, parents)| !parents.contains(&parent)) {
                self.faults.push(format!("{element} in {parent}"));
            }
        }
        let holds = HOLDS_ONLY.iter().find(|(name, _)| *name == parent);
        if holds.is_some_and(|(_, children)| !children.contains(&element)) {
            self.faults.push(format!("{element} in {parent}"));
        }
        if NOT_AMONG_WORDS.contains(&element)
            && let Some(words) = within(HOLDS_WORDS)
        {
            self.faults
                .push(format!("{element} among the words of {words}"));
        }
        let is_hidden = attributes.get("type").is_some_and(|kind| kind == "hidden");
        if ACTS.contains(&element)
            && !is_hidden
            && let Some(outer) = within(&["a", "button"])
        {
            self.faults.push(format!("{element} in {outer}"));
        }
        if element == "form" && within(&["form"]).is_some()
            || element == "label" && within(&["label"]).is_some()
        {
            self.faults.push(format!("{element} in {element}"));
        }
    }
}
