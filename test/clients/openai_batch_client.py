"""Has a running server answer a batch as OpenAI's own client does: python openai_batch_client.py URL"""

import io
import json
import sys
import time

import openai

TEXTS = ["a red lamp", "candle", "lunch bag"]


def line(row, text):
    body = {"model": "search", "input": text, "encoding_format": "float"}
    return {"custom_id": f"row-{row}", "method": "POST", "url": "/v1/embeddings", "body": body}


def create(client, lines):
    content = "\n".join(json.dumps(one) for one in lines).encode()
    file = client.files.create(file=("in.jsonl", io.BytesIO(content)), purpose="batch")
    assert client.files.content(file.id).content == content
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"run": "1"}
    )
    while batch.status in ("validating", "in_progress", "finalizing"):
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    return file, batch


def main(url):
    client = openai.OpenAI(api_key="none", base_url=f"{url}/v1", max_retries=0)
    file, batch = create(client, [line(row, text) for row, text in enumerate([*TEXTS, 7])])
    assert batch.status == "completed" and batch.metadata == {"run": "1"}, batch
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (4, 3, 1)
    answers = [json.loads(one) for one in client.files.content(batch.output_file_id).text.splitlines()]
    for text, answer in zip(TEXTS, answers):
        made = client.embeddings.create(model="search", input=text, encoding_format="float")
        assert answer["response"]["body"] == made.to_dict(), text
    (failed,) = client.files.content(batch.error_file_id).text.splitlines()
    assert json.loads(failed)["response"]["body"]["error"]["type"] == "invalid_request_error"
    print("a batch, its answers and its error")

    _, wrong = create(client, [line(0, "a"), line(0, "b")])
    assert wrong.status == "failed"
    assert [(one.line, one.code) for one in wrong.errors.data] == [(2, "duplicate_custom_id")]
    assert client.batches.cancel(wrong.id).status == "failed"
    assert [one.id for one in client.batches.list(limit=1)][:2] == [wrong.id, batch.id]
    print("a file that is wrong, the list")

    assert client.files.delete(file.id).deleted
    try:
        client.files.retrieve(file.id)
    except openai.NotFoundError as error:
        assert error.type == "invalid_request_error"
    else:
        raise AssertionError("the file is still there")
    print("deleted files, all answered")


if __name__ == "__main__":
    main(sys.argv[1])
