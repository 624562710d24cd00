"""Asks a running server as OpenAI's own client does: python openai_client.py URL"""

import asyncio
import sys

import numpy as np
import openai

TEXTS = ["a red lamp", "candle"]


def main(url):
    options = dict(api_key="none", base_url=f"{url}/v1", max_retries=0, organization="org", project="shop")
    client = openai.OpenAI(**options)
    answer = client.embeddings.create(model="search", input=TEXTS)
    floats = client.embeddings.create(model="search", input=TEXTS, encoding_format="float")
    assert [item.index for item in answer.data] == [0, 1] and answer.usage.prompt_tokens > 0
    for one, other in zip(answer.data, floats.data):
        assert np.allclose(one.embedding, other.embedding, atol=1e-6)
    short = client.embeddings.create(model="search", input=TEXTS[0], dimensions=8, user="somebody")
    assert len(short.data[0].embedding) == 8
    nulls = {"dimensions": None, "user": None, "encoding_format": None}
    assert len(client.embeddings.create(model="search", input=TEXTS, extra_body=nulls).data) == 2
    raw = client.embeddings.with_raw_response.create(model="search", input=TEXTS)
    assert raw.headers["x-request-id"] and len(raw.parse().data) == 2
    print("embeddings in base64 and floats, shorter ones, raw answers")

    assert {"iris", "search"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("iris").object == "model"
    asked = openai.AsyncOpenAI(**options).embeddings.create(model="search", input=TEXTS)
    assert np.allclose(asyncio.run(asked).data[1].embedding, answer.data[1].embedding)
    print("models, the asynchronous client")

    for wanted, change in [
        (openai.NotFoundError, {"model": "nothing"}),
        (openai.UnprocessableEntityError, {"model": "iris"}),
        (openai.UnprocessableEntityError, {"input": [[1, 2]]}),
        (openai.UnprocessableEntityError, {"extra_body": {"input_type": "query"}}),
    ]:
        try:
            client.embeddings.create(**{"model": "search", "input": TEXTS, **change})
        except wanted as error:
            assert error.type == "invalid_request_error" and error.request_id, error
        else:
            raise AssertionError(f"{change} was not refused")
    print("errors, all answered")


if __name__ == "__main__":
    main(sys.argv[1])
