using System;
using System.Collections.Generic;

namespace ArrSession
{
    /// <summary>Options for a new session. <see cref="MaxLease"/> is required.</summary>
    public sealed class CreateSessionOptions
    {
        /// <summary>The server's size. Default <see cref="SessionSize.Standard"/>.</summary>
        public SessionSize Size { get; set; } = SessionSize.Standard;

        /// <summary>
        /// The lease: the session ends this long after it became ready. 1 s to 365 days, rounded up to whole seconds; with
        /// REST 2021-01-01 at most a day, rounded up to whole minutes. Required, because it bounds what a forgotten session
        /// costs.
        /// </summary>
        public TimeSpan MaxLease { get; set; }

        /// <summary>
        /// The session's id: 1 to 256 letters, digits, hyphens and underscores. Null or "" for a new GUID. Only with REST
        /// 2021-01-01; with REST v1 the service chooses.
        /// </summary>
        public string SessionId { get; set; }

        /// <summary>
        /// URLs of the asset containers of models to load before the session is ready, at most 1000. Null: none. Only with
        /// REST v1.
        /// </summary>
        public IList<string> Models { get; set; }

        /// <summary>
        /// More members for the request, for parameters that this API does not have, as a JSON object of at most 64 KiB
        /// and 16 levels. Cannot change the lease, size or models. Null: none.
        /// </summary>
        public string ExtraJson { get; set; }

        /// <summary>Fills a native struct. Its texts belong to <paramref name="texts"/>.</summary>
        internal unsafe void Fill(arr_session_create_options* options, NativeTexts texts)
        {
            *options = Blank.CreateOptions;
            options->size = (int)Size;
            options->max_lease_seconds = Durations.Seconds(MaxLease, "MaxLease");
            options->session_id = texts.Add(SessionId, "SessionId");
            options->extra_json = texts.Add(ExtraJson, "ExtraJson");
            // Counted once, because another thread may add to the list.
            IList<string> models = Models;
            int count = models == null ? 0 : models.Count;
            if (count > 0)
            {
                byte** pointers = texts.AddPointers(count);
                for (int i = 0; i < count; i++)
                {
                    pointers[i] = texts.Add(models[i], "Models");
                }
                options->models = pointers;
                options->model_count = (UIntPtr)(uint)count;
            }
        }
    }

    /// <summary>Which session may be reused.</summary>
    public sealed class ReuseOptions
    {
        /// <summary>The least remaining lease, rounded up to whole seconds. Default 10 minutes.</summary>
        public TimeSpan MinRemaining { get; set; } = TimeSpan.FromMinutes(10);

        /// <summary>
        /// The id of a session to consider first, for example one that the application saved. Null or "": none.
        /// </summary>
        public string SessionId { get; set; }

        internal unsafe void Fill(arr_reuse_options* options, NativeTexts texts)
        {
            *options = Blank.ReuseOptions;
            options->min_remaining_seconds = Durations.Seconds(MinRemaining, "MinRemaining");
            options->session_id = texts.Add(SessionId, "SessionId");
        }
    }
}
