using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>What a token provider's tokens are.</summary>
    public enum TokenKind
    {
        /// <summary>A token of the service's own token service, for example from a server of yours.</summary>
        AccessToken,

        /// <summary>
        /// A token of Microsoft Entra ID for the scope <c>https://sts.mixedreality.azure.com/.default</c>.
        /// </summary>
        EntraToken,
    }

    /// <summary>
    /// Where an application that others use gets its credential from. Derive from <see cref="TokenProviderAsset"/> or
    /// <see cref="TokenProviderBehaviour"/>.
    /// </summary>
    public interface ITokenProvider
    {
        /// <summary>What the tokens are: always the same.</summary>
        TokenKind Kind { get; }

        /// <summary>
        /// Gives a token that is good for a while. Called on the main thread, before the first session and whenever the
        /// token runs out or is refused.
        /// </summary>
        Task<string> GetTokenAsync(CancellationToken cancellation);
    }

    /// <summary>A token provider as an asset, named by <see cref="RemoteRenderingSettings"/>.</summary>
    public abstract class TokenProviderAsset : ScriptableObject, ITokenProvider
    {
        /// <inheritdoc/>
        public virtual TokenKind Kind
        {
            get { return TokenKind.AccessToken; }
        }

        /// <inheritdoc/>
        public abstract Task<string> GetTokenAsync(CancellationToken cancellation);
    }

    /// <summary>
    /// A token provider as a component, on the same GameObject as <see cref="RemoteRenderingSession"/>. It goes before the
    /// one that the settings name.
    /// </summary>
    public abstract class TokenProviderBehaviour : MonoBehaviour, ITokenProvider
    {
        /// <inheritdoc/>
        public virtual TokenKind Kind
        {
            get { return TokenKind.AccessToken; }
        }

        /// <inheritdoc/>
        public abstract Task<string> GetTokenAsync(CancellationToken cancellation);
    }
}
