"""The administrator's pages: transcripts are text."""

from django.contrib.auth.models import User
from django.test import Client

from chatapp.models import Conversation, Message, Role


def test_a_transcript_is_text_and_cannot_be_altered(admin: Client, alice: User) -> None:
    conversation = Conversation.objects.create(owner=alice, title="Hostile")
    Message.objects.create(
        conversation=conversation, role=Role.ASSISTANT, text="<script>x</script> **bold**"
    )

    found = admin.get("/admin/chatapp/conversation/?q=bold").content.decode()
    page = admin.get(f"/admin/chatapp/conversation/{conversation.pk}/change/").content.decode()
    altered = admin.post(
        f"/admin/chatapp/conversation/{conversation.pk}/change/", {"title": "Changed"}
    )

    assert "Hostile" in found
    assert "&lt;script&gt;x&lt;/script&gt; **bold**" in page
    assert altered.status_code == 403
