//! A line of the matrix, and what follows from it for each of those who try.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::reach::Reach;
use controller::domain::role::{Role, Scope};
use reqwest::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Least {
    Open,
    Viewer,
    Operator,
    Admin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Oneself,
    Part,
    Own,
    All,
    OwnThenAll,
    SomebodyElses,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) method: Method,
    pub(super) pattern: String,
    least: Least,
    span: Span,
}

/// Those who try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    Viewer,
    Operator,
    Admin,
    OfPool,
    OfNetwork,
    OfOtherPool,
    OfOtherNetwork,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// It is neither forbidden nor missing; what is wrong with an empty form is another matter.
    Permitted,
    ToLogin,
    Status(u16),
}

pub(super) fn lines(text: &str) -> Vec<Line> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Line::read).collect()
}

impl Line {
    fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [method, pattern, least, span] = words[..] else {
            panic!("not four words: {text}");
        };
        Self {
            method: method.parse().unwrap(),
            pattern: pattern.to_owned(),
            least: match least {
                "open" => Least::Open,
                "viewer" => Least::Viewer,
                "operator" => Least::Operator,
                "admin" => Least::Admin,
                _ => panic!("no role: {text}"),
            },
            span: match span {
                "-" => Span::Oneself,
                "part" => Span::Part,
                "own" => Span::Own,
                "all" => Span::All,
                "own,all" => Span::OwnThenAll,
                "mine" => Span::SomebodyElses,
                _ => panic!("no reach: {text}"),
            },
        }
    }

    /// Where it leads for the objects with the id 1.
    pub(super) fn path(&self) -> String {
        let parts = self.pattern.split('/').map(|part| match part {
            "{tag}" | "{name:.+}" => "none",
            part if part.starts_with('{') => "1",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    pub(super) fn is_open(&self) -> bool {
        self.least == Least::Open
    }

    fn is_page(&self) -> bool {
        !self.pattern.starts_with("/api/v1") && self.pattern != "/metrics"
    }

    pub(super) fn expects(&self, who: Who) -> Expected {
        if self.is_open() {
            return Expected::Permitted;
        }
        let Some(role) = who.role() else {
            return match self.is_page() && self.method == Method::GET {
                true => Expected::ToLogin,
                false => Expected::Status(401),
            };
        };
        let has = match role {
            Role::Viewer => Least::Viewer,
            Role::Operator => Least::Operator,
            Role::Admin => Least::Admin,
        };
        let everywhere = who.reach() == Reach::All;
        let within = everywhere || self.is_reached(who);
        match self.span {
            _ if has < self.least => Expected::Status(403),
            Span::SomebodyElses => Expected::Status(404),
            Span::Own | Span::OwnThenAll if !within => Expected::Status(404),
            Span::All | Span::OwnThenAll if !everywhere => Expected::Status(403),
            _ => Expected::Permitted,
        }
    }

    /// A pool belongs to itself alone, and so does a network; the rest is of both.
    fn is_reached(&self, who: Who) -> bool {
        let at = |resource| self.pattern.contains(resource);
        match who {
            Who::OfPool => !at("/networks/"),
            Who::OfNetwork => !at("/pools/"),
            _ => false,
        }
    }
}

impl Who {
    pub(super) fn role(self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Admin => Some(Role::Admin),
            _ => Some(Role::Operator),
        }
    }

    pub(super) fn scope(self) -> Option<Scope> {
        self.role().map(|role| match role {
            Role::Viewer => Scope::Read,
            Role::Operator => Scope::Write,
            Role::Admin => Scope::Admin,
        })
    }

    pub(super) fn reach(self) -> Reach {
        match self {
            Self::OfPool => Reach::Pool(Some(PoolId(1))),
            Self::OfOtherPool => Reach::Pool(Some(PoolId(2))),
            Self::OfNetwork => Reach::Network(Some(NetworkId(1))),
            Self::OfOtherNetwork => Reach::Network(Some(NetworkId(2))),
            _ => Reach::All,
        }
    }
}
