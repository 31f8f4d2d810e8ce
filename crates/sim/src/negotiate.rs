//! The form of an answer, negotiated by the `Accept` header.

use crate::protobuf;
use crate::status::Failure;

/// The form in which an object or a list is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// Protobuf; only for pods and failures.
    Protobuf,
    Yaml,
    /// `meta.k8s.io/v1` Table, the columns and cells that kubectl prints.
    Table,
}

/// Chooses the first supported form of an `Accept` header, or JSON without one.
///
/// `protobuf` says whether that form is supported.
///
/// # Errors
///
/// 406 when the header names no supported form.
pub(crate) fn form(accept: &str, protobuf: bool) -> Result<Form, Failure> {
    if accept.trim().is_empty() {
        return Ok(Form::Json);
    }
    let json = "only the following media types are accepted: application/json, application/yaml";
    let failure = if protobuf {
        format!("{json}, {}", protobuf::MEDIA_TYPE)
    } else {
        json.to_owned()
    };
    accept
        .split(',')
        .filter_map(one)
        .find(|form| protobuf || *form != Form::Protobuf)
        .ok_or_else(|| Failure::new(406, failure))
}

fn one(range: &str) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let plain = match media.as_str() {
        "application/json" | "application/*" | "*/*" => Form::Json,
        "application/yaml" => Form::Yaml,
        protobuf::MEDIA_TYPE => Form::Protobuf,
        _ => return None,
    };
    match (plain, parameter("as")) {
        (plain, None) => Some(plain),
        (Form::Json, Some(wanted)) if parameter("g") == Some("meta.k8s.io") && parameter("v") == Some("v1") => {
            (wanted == "Table").then_some(Form::Table)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_first_supported_form_wins() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl, true), Ok(Form::Table));
        assert_eq!(
            form(
                "application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json",
                true
            ),
            Ok(Form::Json)
        );
        assert_eq!(form("application/yaml", true), Ok(Form::Yaml));
        assert_eq!(form("application/xml", true).unwrap_err().code, 406);
    }

    #[test]
    fn protobuf_is_chosen_only_where_supported() {
        let go = "application/vnd.kubernetes.protobuf, */*";
        assert_eq!((form(go, true), form(go, false)), (Ok(Form::Protobuf), Ok(Form::Json)));
        let only = "application/vnd.kubernetes.protobuf;stream=watch";
        assert_eq!(form(only, true), Ok(Form::Protobuf));
        assert_eq!(form(only, false).unwrap_err().code, 406);
        let table = "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, application/json";
        assert_eq!(form(table, true), Ok(Form::Json));
    }
}
