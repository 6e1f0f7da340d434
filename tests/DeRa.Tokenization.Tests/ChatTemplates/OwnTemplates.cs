namespace DeRa.Tokenization.Tests.ChatTemplates;

/// <summary>
/// Templates of our own with the constructs that published ones use: tools as JSON, thinking, macros over schemas, role checks,
/// loop controls. The expected texts were computed with Jinja2 3.1 in Hugging Face's configuration, at 2024-07-04 05:06:07.
/// </summary>
internal static class OwnTemplates
{
    /// <summary>The variables that all of them are rendered with.</summary>
    public const string Conversation = """
        {
          "bos_token": "<s>",
          "eos_token": "</s>",
          "add_generation_prompt": true,
          "enable_thinking": false,
          "messages": [
            {
              "role": "system",
              "content": " Be brief. "
            },
            {
              "role": "user",
              "content": "What is 2+2? \ud83d\ude00"
            },
            {
              "role": "assistant",
              "content": "<think>\nadd\n</think>\n\nLet me see.",
              "tool_calls": [
                {
                  "id": "call00001",
                  "type": "function",
                  "function": {
                    "name": "add",
                    "arguments": {
                      "a": 2,
                      "b": 2.0,
                      "note": "caf\u00e9 <b>"
                    }
                  }
                }
              ]
            },
            {
              "role": "tool",
              "tool_call_id": "call00001",
              "name": "add",
              "content": "{\"sum\": 4}"
            },
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "Thanks"
                },
                {
                  "type": "image"
                }
              ]
            }
          ],
          "tools": [
            {
              "type": "function",
              "function": {
                "name": "add",
                "description": "Adds.",
                "parameters": {
                  "type": "object",
                  "properties": {
                    "a": {
                      "type": "integer",
                      "description": "left"
                    },
                    "b": {
                      "type": [
                        "number",
                        "null"
                      ],
                      "enum": [
                        1,
                        2
                      ]
                    }
                  },
                  "required": [
                    "a"
                  ]
                }
              }
            }
          ]
        }
        """;

    public static readonly (string Name, string Source, string Expected)[] All =
    [
        (
            "TurnsWithMarkers",
            """
            {{ bos_token }}
            {%- for message in messages %}
                {%- set text = message.content if message.content is string else message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' ') %}
                {%- if loop.first and message.role == 'system' %}
            <<{{ text | trim }}>>
                {%- elif message['role'] in ['user', 'tool'] %}
            [{{ loop.index0 }}:{{ message.role | upper }}] {{ text.strip() + eos_token if loop.last else text.strip() }}
                {%- else %}
            [{{ loop.index0 }}:{{ message.role.title() }}] {{ text.split('</think>')[-1].lstrip('\n') }}
                {%- endif %}
            {%- endfor %}
            {% if add_generation_prompt %}
            [bot]
            {% endif %}
            """,
            "<s><<Be brief.>>[1:USER] What is 2+2? \ud83d\ude00[2:Assistant] Let me see.[3:TOOL] {\"sum\": 4}[4:USER] Thanks</s>[bot]\n"),
        (
            "ToolsAsJson",
            """
            {%- if not tools is defined or tools is none %}
                {%- set tools = [] %}
            {%- endif %}
            {%- if messages[0]['role'] == 'system' %}
                {%- set preface = messages[0]['content']|trim %}
                {%- set rest = messages[1:] %}
            {%- else %}
                {%- set preface = '' %}
                {%- set rest = messages %}
            {%- endif %}
            Today: {{ strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' }}
            {{ preface }}
            {% for tool in tools %}
            {{ tool | tojson }}
            {{ tool.function | tojson(indent=4) }}
            {% endfor %}
            {% for m in rest if m.tool_calls is defined and m.tool_calls %}
            {% for call in m.tool_calls %}
            {"name": {{ call.function.name | tojson }}, "parameters": {{ call['function'].arguments | tojson(separators=(',', ':'), sort_keys=true) }}}{{ ',' if not loop.last }}
            {% endfor %}
            {% else %}
            nothing
            {% endfor %}
            {{- '%s tools, %d messages' | format(tools | length, messages | count) }}
            """,
            "Today: 04 Jul 2024\nBe brief.\n{\"type\": \"function\", \"function\": {\"name\": \"add\", \"description\": \"Adds.\", \"parameters\": {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\", \"description\": \"left\"}, \"b\": {\"type\": [\"number\", \"null\"], \"enum\": [1, 2]}}, \"required\": [\"a\"]}}}\n{\n    \"name\": \"add\",\n    \"description\": \"Adds.\",\n    \"parameters\": {\n        \"type\": \"object\",\n        \"properties\": {\n            \"a\": {\n                \"type\": \"integer\",\n                \"description\": \"left\"\n            },\n            \"b\": {\n                \"type\": [\n                    \"number\",\n                    \"null\"\n                ],\n                \"enum\": [\n                    1,\n                    2\n                ]\n            }\n        },\n        \"required\": [\n            \"a\"\n        ]\n    }\n}\n{\"name\": \"add\", \"parameters\": {\"a\":2,\"b\":2.0,\"note\":\"caf\u00e9 <b>\"}}\n1 tools, 5 messages"),
        (
            "ThinkingBudget",
            """
            {% set ns = namespace(last=messages|length - 1, searching=true) %}
            {% for message in messages[::-1] %}
            {% set index = (messages|length - 1) - loop.index0 %}
            {% if ns.searching and message.role == 'user' and not (message.content is string and message.content.startswith('<r>') and message.content.endswith('</r>')) %}
            {% set ns.searching = false %}
            {% set ns.last = index %}
            {% endif %}
            {% endfor %}
            last={{ ns.last }}
            {% for message in messages %}
            {% set thought = '' %}
            {% if message.role == 'assistant' %}
            {% if message.reasoning is defined and message.reasoning is not none %}
            {% set thought = message.reasoning %}
            {% elif '</think>' in message.content %}
            {% set thought = message.content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
            {% endif %}
            {{- '(' ~ thought ~ ')' -}}
            {% endif %}
            {% if message.role == 'tool' and (loop.first or messages[loop.index0 - 1].role != 'tool') %}
            <tools>
            {%- endif %}
            {%- if message.role == 'tool' and (loop.last or messages[loop.index0 + 1].role != 'tool') %}
            {{ message.content }}</tools>
            {% endif %}
            {% endfor %}
            {%- if enable_thinking is defined and enable_thinking is false %}
            {{- '<none/>\n\n' }}
            {%- endif %}
            """,
            "last=4\n(add)<tools>{\"sum\": 4}</tools>\n<none/>\n\n"),
        (
            "MacroSignatures",
            """
            {%- macro kind(spec) -%}
                {%- set names = {'integer': 'int', 'string': 'str', 'number': 'float', 'object': 'dict'} -%}
                {%- if spec.type is string and spec.type in names -%}
                    {{ names[spec.type] }}
                {%- elif spec.type is iterable and spec.type is not string -%}
                    Union[{%- for t in spec.type -%}{{ kind({'type': t}) }}{%- if not loop.last -%}, {% endif -%}{%- endfor -%}]
                {%- else -%}
                    Any
                {%- endif -%}
            {%- endmacro -%}
            {%- macro section(title, level=2) %}
            {{ '#' * level }} {{ title }}
            {{ caller(level) }}
            {%- endmacro -%}
            {% for tool in tools %}
            {% set fn = tool.function or tool %}
            def {{ fn.name }}(
            {%- for name, spec in fn.parameters.properties | items -%}
            {{ name }}: {{ kind(spec) }}{% if name not in fn.parameters.required %} = None{% endif %}{{ ', ' if not loop.last }}
            {%- endfor -%}
            ): {{ fn.get('description', 'nothing') | lower | replace('.', '!') }}
            {% call(depth) section('Notes', level=3) %}depth {{ depth }}{% endcall %}

            {% endfor %}
            {% filter upper | trim %}  done  {% endfilter %}
            """,
            "def add(a: int, b: Union[float, Any] = None): adds!\n### Notes\ndepth 3\nDONE"),
        (
            "AlternatingRoles",
            """
            {% if messages[0].role == 'system' %}{% set loop_messages = messages[1:] %}{% set system = messages[0].content %}{% else %}{% set loop_messages = messages %}{% set system = false %}{% endif %}
            {% for message in loop_messages if message.role in ('user', 'assistant') %}
            {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
            {{ raise_exception('roles must alternate, found ' + message.role ~ ' at ' ~ loop.index) }}
            {% endif %}
            {% if loop.index0 == 0 and system != false %}
            {% set content = '[[' + system.strip() + ']] ' + message.content %}
            {% else %}
            {% set content = message.content %}
            {% endif %}
            {% generation %}{{ content if content is string else content | tojson }}{% endgeneration %}{{ eos_token }}
            {% endfor %}
            """,
            "[[Be brief.]] What is 2+2? \ud83d\ude00</s>\n<think>\nadd\n</think>\n\nLet me see.</s>\n[{\"type\": \"text\", \"text\": \"Thanks\"}, {\"type\": \"image\"}]</s>\n"),
        (
            "LoopControls",
            """
            {% for m in messages %}
            {% if loop.previtem is defined and loop.previtem.role == 'tool' %}{% break %}{% endif %}
            {% if m.role == 'system' %}{% continue %}{% endif %}
            {{ loop.index }}/{{ loop.length }} {{ loop.revindex }} {{ loop.cycle('a', 'b') }} {{ m.role }}{{ ' next:' ~ loop.nextitem.role if loop.nextitem is defined }}
            {% endfor %}
            {% set block %}
            {% for k, v in tools[0].function.parameters.properties|dictsort(reverse=true) %}
            {{ k }}={{ v }}
            {% endfor %}
            {% endset %}
            {{ block | indent(2, true) }}
            {% with total = [1, 2.5, 3]|sum, names = messages|map(attribute='role')|unique|list %}
            {{ total }} {{ names }} {{ names|join('|') }} {{ names|sort|first }} {{ (names|last)[0] }} {{ names[-2:] }}
            {% endwith %}
            {% raw %}{{ not a variable }}{% endraw %}

            {# a comment
            over lines #}
            {{ messages|rejectattr('tool_calls')|list|length }} {{ none }} {{ true and 'yes' or 'no' }} {{ 7 // 2 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ -7 % 3 }}
            """,
            "2/5 4 b user next:assistant\n3/5 3 a assistant next:tool\n4/5 2 b tool next:user\n  b={'type': ['number', 'null'], 'enum': [1, 2]}\n  a={'type': 'integer', 'description': 'left'}\n\n6.5 ['system', 'user', 'assistant', 'tool'] system|user|assistant|tool assistant t ['assistant', 'tool']\n{{ not a variable }}\n4 None yes 3 3.5 1024 2"),
    ];
}
