//! The description of an operation. It is defined at the handler, and `routes.rs` adds both
//! together.

use serde_json::Value;

use super::schema::Schemas;

/// A function that returns a schema, after adding the schemas that it refers to.
pub(crate) type Schema = fn(&mut Schemas) -> Value;

/// The answer of an operation that succeeds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Success {
    /// An envelope with data of this schema.
    Data(Schema),
    /// An envelope with this message and without data.
    Message(&'static str),
    /// JSON of this schema without an envelope.
    Bare(Schema),
    /// Text of this media type.
    Text(&'static str),
    /// A WebSocket with these frames.
    Socket {
        /// The client's frames.
        client: Schema,
        /// The server's frames.
        server: Schema,
    },
}

/// The part of an operation's description that does not follow from its route and its handler's
/// arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// A unique name whose first part is the operation's tag: `pods.list`.
    pub(crate) id: &'static str,
    /// A sentence on the operation's purpose.
    pub(crate) summary: &'static str,
    /// The answer on success.
    pub(crate) success: Success,
    /// The codes of the failures that do not follow from the route (see [`crate::Route::codes`]).
    pub(crate) codes: &'static [u32],
}

impl Operation {
    /// Describes an operation without failures of its own.
    pub(crate) const fn new(id: &'static str, summary: &'static str, success: Success) -> Self {
        Self {
            id,
            summary,
            success,
            codes: &[],
        }
    }

    /// Adds the codes of the operation's own failures.
    pub(crate) const fn fails(mut self, codes: &'static [u32]) -> Self {
        self.codes = codes;
        self
    }

    /// Returns the first part of the id.
    pub(crate) fn tag(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

/// The JSON body that an operation takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestBody {
    /// Its schema.
    pub(crate) schema: Schema,
    /// Whether a request without it is refused.
    pub(crate) required: bool,
}
