//! The envelope of successful answers.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An answer with data: `{"code":200,"data":…}`.
#[derive(Clone, Debug)]
pub struct Data<T>(pub T);

/// An answer with data and an optional remark: `{"code":200,"message":"…","data":…}`.
#[derive(Clone, Debug)]
pub(crate) struct Noted<T> {
    /// The data.
    pub data: T,
    /// A remark on the data. Without it the answer has no `message`.
    pub note: Option<String>,
}

/// An answer without data: `{"code":200,"message":"…","data":null}`.
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
    /// Serialises the answer as JSON.
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

/// Wraps data in the envelope of [`Data`].
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
