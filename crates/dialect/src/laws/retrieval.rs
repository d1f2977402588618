//! What holds for embeddings and reranks, whatever bytes come.

use bytes::Bytes;

use super::{identity, report};
use crate::document::{Document, Raw};
use crate::embeddings::{self, EmbeddingsAnswer, EmbeddingsForm, EmbeddingsRequest, Encoding};
use crate::patch::Patches;
use crate::rerank::{self, RerankRequest};

/// A request for this many vectors.
///
/// # Errors
/// Never; the text says what a reader does wrong.
fn asking(count: usize, encoding: Encoding) -> Result<EmbeddingsRequest, String> {
    let format = if encoding == Encoding::Float { "float" } else { "base64" };
    let inputs = vec!["\"a\""; count.max(1)].join(",");
    let body = format!(r#"{{"model":"a/b","input":[{inputs}],"encoding_format":"{format}"}}"#);
    let document = Document::parse(body.into()).map_err(|error| error.to_string())?;
    embeddings::read_request(document).map_err(|error| error.message)
}

fn written(answer: &EmbeddingsAnswer) -> Bytes {
    embeddings::write_answer(answer, &identity(), &report(answer.facts.usage.unwrap_or_default()))
}

/// Any bytes are an answer or a fault in every form. An answer, written for the client and read as
/// if a provider had sent it, has the same vectors; in the other encoding and back, the same bytes.
///
/// # Errors
/// What was broken.
pub fn embeddings_answers_survive(bytes: &[u8]) -> Result<(), String> {
    for form in EmbeddingsForm::ALL {
        for encoding in [Encoding::Float, Encoding::Base64] {
            for count in 1..=3 {
                if let Ok(answer) = form.read_answer(bytes, &asking(count, encoding)?) {
                    written_reads_back(&answer, count, encoding)?;
                }
            }
        }
    }
    Ok(())
}

fn written_reads_back(
    answer: &EmbeddingsAnswer,
    count: usize,
    encoding: Encoding,
) -> Result<(), String> {
    let read = |body: &[u8], encoding| {
        let request = asking(count, encoding)?;
        let read = EmbeddingsForm::Openai.read_answer(body, &request);
        read.map_err(|fault| format!("what was written can't be read: {fault}"))
    };
    let again = read(&written(answer), encoding)?;
    if again.vectors != answer.vectors {
        return Err("the vectors changed in writing".to_owned());
    }
    let packed = read(&written(answer), Encoding::Base64)?;
    let spelled = read(&written(&packed), Encoding::Float)?;
    let repacked = read(&written(&spelled), Encoding::Base64)?;
    if repacked.vectors != packed.vectors {
        return Err("floats changed on their way through their digits".to_owned());
    }
    Ok(())
}

/// Any bytes are a request or an error. What a form carries is written as JSON, and what is left of
/// the public shape is a request again.
///
/// # Errors
/// What was broken.
pub fn embeddings_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(request) = embeddings::read_request(document) else { return Ok(()) };
    if request.inputs().len() != request.count {
        return Err("not every input is seen".to_owned());
    }
    let patches = Patches::default();
    let out = outbound(&patches);
    for form in EmbeddingsForm::ALL {
        if form.carries(&request).is_err() {
            continue;
        }
        let written = form.write_request(&request, &out).map_err(|error| error.message)?;
        let document = Document::parse(written.body).map_err(|error| error.to_string())?;
        if form == EmbeddingsForm::Openai {
            let again = embeddings::read_request(document).map_err(|error| error.message)?;
            if again.inputs() != request.inputs() || again.dimensions != request.dimensions {
                return Err("the inputs changed in writing".to_owned());
            }
        }
    }
    Ok(())
}

const fn outbound(patches: &Patches) -> embeddings::Outbound<'_> {
    embeddings::Outbound { provider_model_id: "p\"m", user: Some("u"), patches }
}

/// Any bytes are an answer or a fault. An answer names each document at most once, the most relevant
/// first, and reads back from what is written of it.
///
/// # Errors
/// What was broken.
pub fn rerank_answers_survive(bytes: &[u8]) -> Result<(), String> {
    let body =
        r#"{"model":"a/b","query":"q","documents":["a",{"text":"b"},{"image":"c"}],"top_n":2}"#;
    let document = Document::parse(body.into()).map_err(|error| error.to_string())?;
    let request = rerank::read_request(document).map_err(|error| error.message)?;
    let Ok(answer) = rerank::read_answer(bytes, &request) else { return Ok(()) };
    let falls = answer.ranked.is_sorted_by(|one, two| one.score >= two.score);
    if !falls || answer.ranked.len() > 2 {
        return Err("the order or the number of results is wrong".to_owned());
    }
    let usage = answer.facts.usage.unwrap_or_default();
    let written = rerank::write_answer(&answer, &request, &identity(), &report(usage));
    let again = rerank::read_answer(&written, &request).map_err(|fault| fault.to_string())?;
    if again.ranked == answer.ranked { Ok(()) } else { Err("the results changed".to_owned()) }
}

/// Any bytes are a request or an error; what is written of a request is one again.
///
/// # Errors
/// What was broken.
pub fn rerank_requests_survive(bytes: &[u8]) -> Result<(), String> {
    let Ok(document) = Document::parse(Bytes::copy_from_slice(bytes)) else { return Ok(()) };
    let Ok(request) = rerank::read_request(document) else { return Ok(()) };
    let patches = Patches::default();
    let written = rerank::write_request(&request, &outbound(&patches));
    let document = Document::parse(written.body).map_err(|error| error.to_string())?;
    let again = rerank::read_request(document).map_err(|error| error.message)?;
    let texts = |one: &RerankRequest| (one.query_bytes, one.document_bytes.clone(), one.top_n);
    let query =
        |one: &RerankRequest| one.document.get("query").map(|raw| Raw::new(raw).text().to_owned());
    if texts(&again) == texts(&request) && query(&again) == query(&request) {
        Ok(())
    } else {
        Err("the request changed in writing".to_owned())
    }
}
