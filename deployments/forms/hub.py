"""What the hub is, how long it stays, where it stands and on what."""

from __future__ import annotations

from django import forms

from deployments import naming
from deployments.forms import rules
from deployments.forms.controls import SizeSelect, WordField, radios, whole
from deployments.place import MOST_NODES

MOST_USER_NODES = 50
DISK_GIB = (30, 2048)


class HubFields(forms.Form):
    """Name, purpose, last day."""

    name = WordField(
        "Hub name",
        "3 to 20 small letters, digits and hyphens. It becomes part of the hub's address.",
        rule=naming.problem_with_hub_name,
        max_length=63,
        attrs={"placeholder": "my-course"},
    )
    purpose = forms.CharField(
        label="What is it for?",
        help_text="A sentence or two for whoever decides about your request: the course, the paper, the workshop.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )
    keep_until = forms.DateField(
        label="Keep it until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class PlaceFields(forms.Form):
    """Subscription, region, and the machines that every hub has."""

    subscription_id = forms.ChoiceField(label="Subscription", help_text="The Azure account that pays for the hub.")
    region = forms.ChoiceField(
        label="Region",
        help_text="Where the hub's machines stand. Near the people who will use it is quickest.",
        widget=SizeSelect,
    )
    node_size = forms.ChoiceField(
        label="Node size",
        help_text="A node is one machine that people's sessions run on. Half a CPU and 1 GB a session is a fair guess.",
        widget=SizeSelect,
    )
    node_count = whole(
        "Number of nodes",
        "How many such machines. They run, and cost, until the hub is taken down.",
        1,
        MOST_NODES,
    )
    kubernetes_version = forms.ChoiceField(
        label="Kubernetes version",
        help_text="The software that keeps the hub's parts running. If in doubt, keep what is chosen.",
    )


class NodeFields(forms.Form):
    """A second pool of nodes, disks, and how well the cluster is looked after."""

    pools = radios(
        "Which machines do people work on?",
        "With machines of their own for people's sessions, nodes are added when many people come and removed when"
        " they leave, so that a quiet hub costs little. The nodes chosen above then run only the hub itself.",
        [("one", "The nodes chosen above do everything"), ("two", "Nodes of their own, that come and go by need")],
    )
    user_node_size = forms.ChoiceField(
        label="Node size for sessions",
        help_text="Half a CPU and 1 GB a session is a fair guess.",
        widget=SizeSelect,
        required=False,
    )
    user_nodes_min = whole(
        "Fewest nodes for sessions",
        "These always run. With 0 nothing does while nobody works; the first person then waits some minutes.",
        0,
        MOST_USER_NODES,
        required=False,
    )
    user_nodes_max = whole(
        "Most nodes for sessions",
        "There are never more, however many people come. The cost is shown for both.",
        1,
        MOST_USER_NODES,
        required=False,
    )
    os_disk_gib = whole(
        "Disk of each node, in GB",
        "Images are kept here while they are in use. Leave it empty for Azure's own choice, which is 128 GB for most"
        " sizes.",
        *DISK_GIB,
        required=False,
    )
    tier = radios(
        "Uptime",
        "The tier of the cluster at Azure. The Standard tier costs a little, and Azure guarantees that it answers.",
        [
            ("Free", "Free: good for trying things out, a course, a workshop"),
            ("Standard", "Standard: with a guarantee"),
        ],
    )


class AddressFields(forms.Form):
    """An address of one's own."""

    domain = WordField(
        "Your own domain",
        "Optional. A name that you or your institution can make a record for, like hub.example.org.",
        required=False,
        max_length=300,
    )

    def clean_domain(self) -> str:
        name = rules.tidy_domain(self.cleaned_data["domain"])
        if name and (problem := rules.domain(name)):
            raise forms.ValidationError(problem)
        return name
