//! The table of pages: a route goes to the router and onto a list in one step, so none can be served without being
//! listed, and whoever asks who may see what can ask it of all of them.

use actix_web::http::Method;
use actix_web::web::{self, PayloadConfig, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder};

/// What leads to a handler.
#[derive(Debug, Clone)]
pub struct Listed {
    pub method: Method,
    /// With names in braces where something is to be filled in.
    pub pattern: &'static str,
}

pub(super) struct Table<'a> {
    config: &'a mut ServiceConfig,
    listed: Vec<Listed>,
}

impl<'a> Table<'a> {
    pub(super) fn new(config: &'a mut ServiceConfig) -> Self {
        Self {
            config,
            listed: Vec::new(),
        }
    }

    pub(super) fn get<F, Args>(&mut self, pattern: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.config.route(pattern, web::get().to(handler));
        self.list(Method::GET, pattern)
    }

    pub(super) fn post<F, Args>(&mut self, pattern: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.config.route(pattern, web::post().to(handler));
        self.list(Method::POST, pattern)
    }

    pub(super) fn delete<F, Args>(&mut self, pattern: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.config.route(pattern, web::delete().to(handler));
        self.list(Method::DELETE, pattern)
    }

    /// For what is sent by whoever likes to: no more than so many bytes are read.
    pub(super) fn post_at_most<F, Args>(
        &mut self,
        bytes: usize,
        pattern: &'static str,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let resource = web::resource(pattern).app_data(PayloadConfig::new(bytes));
        self.config.service(resource.route(web::post().to(handler)));
        self.list(Method::POST, pattern)
    }

    pub(super) fn configure(&mut self, resource: impl FnOnce(&mut Self)) -> &mut Self {
        resource(self);
        self
    }

    pub(super) fn into_list(self) -> Vec<Listed> {
        self.listed
    }

    fn list(&mut self, method: Method, pattern: &'static str) -> &mut Self {
        self.listed.push(Listed { method, pattern });
        self
    }
}
