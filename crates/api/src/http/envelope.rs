//! The envelope of a success.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// `{"code":200,"data":…}`.
#[derive(Clone, Debug)]
pub struct Data<T>(pub T);

/// `{"code":200,"message":"…","data":…}`, with a message only where there is something to say of
/// the data.
#[derive(Clone, Debug)]
pub(crate) struct Noted<T> {
    /// The data.
    pub data: T,
    /// What to know about it.
    pub note: Option<String>,
}

/// `{"code":200,"message":"…","data":null}`.
#[derive(Clone, Copy, Debug)]
pub struct Message(pub &'static str);

#[derive(Serialize)]
struct DataEnvelope<'a, T> {
    code: u16,
    data: &'a T,
}

#[derive(Serialize)]
struct NotedEnvelope<'a, T> {
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    data: &'a T,
}

impl<T: Serialize> Noted<T> {
    /// Returns it as JSON.
    ///
    /// # Errors
    /// Those of the data's `Serialize`.
    pub(crate) fn json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&NotedEnvelope {
            code: 200,
            message: self.note.as_deref(),
            data: &self.data,
        })
    }
}

#[derive(Serialize)]
struct MessageEnvelope {
    code: u16,
    message: &'static str,
    data: (),
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        Json(DataEnvelope {
            code: 200,
            data: &self.0,
        })
        .into_response()
    }
}

/// What [`Data`] is written as.
pub(crate) fn envelope<T: Serialize>(data: &T) -> impl Serialize {
    DataEnvelope { code: 200, data }
}

impl IntoResponse for Message {
    fn into_response(self) -> Response {
        Json(MessageEnvelope {
            code: 200,
            message: self.0,
            data: (),
        })
        .into_response()
    }
}
